import { sleep } from '@quorate/core';

/** Waits like `sleep`; in the background it does not keep the process alive. */
export function pause(ms: number, signal: AbortSignal, background: boolean): Promise<void> {
  if (!background) return sleep(ms, { signal });
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const aborted = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', aborted);
      resolve();
    }, ms).unref();
    signal.addEventListener('abort', aborted, { once: true });
  });
}
