/**
 * Does all the work at once. When one fails the others' signal aborts; nothing goes on behind the failure, for it is
 * thrown only when every other has ended.
 */
export async function together<T>(
  items: Iterable<T>,
  work: (item: T, signal: AbortSignal) => Promise<unknown>,
  outer?: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const signal = outer ? AbortSignal.any([outer, failed.signal]) : failed.signal;
  const each = async (item: T): Promise<void> => {
    try {
      await work(item, signal);
    } catch (error) {
      failed.abort(error);
    }
  };
  await Promise.all(Array.from(items, each));
  failed.signal.throwIfAborted();
}
