/** The longest that a timer can wait, in milliseconds: 24 days. */
const longest = 2 ** 31 - 1;

/**
 * What `work` gives, or the reason of `signal` when that aborts first: work that does not listen to it may never end. What
 * becomes of it then is no longer looked at.
 */
export async function unlessAborted<T>(
  signal: AbortSignal,
  work: (signal: AbortSignal) => T | Promise<T>,
): Promise<Awaited<T>> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  // The timer of a deadline does not keep a program alive. One that waits here for nothing else would end, and not be told.
  const awake = setTimeout(() => {}, longest);
  try {
    return await Promise.race([aborted, (async () => work(signal))()]);
  } finally {
    clearTimeout(awake);
    signal.removeEventListener('abort', abort);
  }
}
