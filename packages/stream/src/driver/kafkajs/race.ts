/**
 * Ends the wait for `work` when the signal aborts, with its reason: the package knows no signals. What comes of the work later is dropped.
 * When a deadline has passed while the process stood still, an answer that lies there unread comes first.
 */
export function race<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => void setImmediate(() => reject(signal.reason));
    const done = (): void => signal.removeEventListener('abort', aborted);
    work.then(
      (result) => {
        done();
        resolve(result);
      },
      (error: unknown) => {
        done();
        reject(error);
      },
    );
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', aborted, { once: true });
  });
}
