import { doubtful } from '@quorate/core';

/** What others come to, or a rejection with the reason the moment `signal` aborts. */
export function untilAborted<T>(signal: AbortSignal | undefined, awaited: Promise<T>): Promise<T> {
  return race(signal, awaited, (reason) => reason);
}

/**
 * What our own work comes to, or a rejection the moment `signal` aborts. The work itself goes on, to clean up after itself:
 * it has to look at the signal. What it brings all the same goes to `unwanted`. Others may see what it has done or will
 * do, so the reason does not say that nothing happened.
 */
export function workUntilAborted<T>(
  signal: AbortSignal | undefined,
  work: Promise<T>,
  unwanted?: (result: T) => void,
): Promise<T> {
  return race(signal, work, doubtful, unwanted);
}

function race<T>(
  signal: AbortSignal | undefined,
  work: Promise<T>,
  rejection: (reason: unknown) => unknown,
  unwanted: (result: T) => void = () => undefined,
): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      reject(rejection(signal.reason));
      work.then(unwanted, () => undefined);
    };
    if (signal.aborted) return aborted();
    signal.addEventListener('abort', aborted, { once: true });
    const settled = (): void => signal.removeEventListener('abort', aborted);
    work.then(
      (result) => {
        settled();
        resolve(result);
      },
      (error) => {
        settled();
        reject(error);
      },
    );
  });
}
