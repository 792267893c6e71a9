/**
 * What `work` comes to, or a rejection the moment `signal` aborts. The work itself goes on, to clean up after itself: it
 * has to look at the signal. What it brings all the same goes to `unwanted`.
 */
export function untilAborted<T>(
  signal: AbortSignal | undefined,
  work: Promise<T>,
  unwanted: (result: T) => void = () => undefined,
): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      reject(signal.reason);
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
