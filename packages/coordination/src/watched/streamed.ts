import { Latest } from '@quorate/core';

/**
 * A stream of the newest value, fed by `feed` until nobody reads any more: then `over` aborts. `signal` ends it with
 * its reason. Nothing of it is left when it has ended, one way or another.
 */
export function streamed<T>(
  signal: AbortSignal | undefined,
  feed: (stream: Latest<T>, over: AbortSignal) => Promise<void>,
): Latest<T> {
  const over = new AbortController();
  const aborted = (): void => stream.fail(signal?.reason);
  const stream = new Latest<T>(() => {
    signal?.removeEventListener('abort', aborted);
    over.abort();
  });
  signal?.addEventListener('abort', aborted, { once: true });
  if (signal?.aborted) aborted();
  else
    feed(stream, over.signal).then(
      () => stream.finish(),
      (error) => stream.fail(error),
    );
  return stream;
}
