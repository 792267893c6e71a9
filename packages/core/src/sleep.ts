export interface SleepOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether the wait lets the process end meanwhile. Default: it keeps it alive. */
  readonly background?: boolean | undefined;
}

/** Resolves after `ms`. When `signal` aborts it rejects at once with the signal's reason, and the timer is gone. */
export function sleep(ms: number, { signal, background = false }: SleepOptions = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const aborted = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }, ms);
    if (background) timer.unref();
    signal?.addEventListener('abort', aborted, { once: true });
  });
}
