import { isQuorateError, Latest, mayRetry } from '@quorate/core';
import type { Sessions, ZooKeeper } from '@quorate/zookeeper';

/** Where what lasts may stand: in one session, or in one after the other. */
export type AnySession = ZooKeeper | Sessions;

/** The session itself, or the one there is now. */
export async function sessionOf(any: AnySession, signal: AbortSignal | undefined): Promise<ZooKeeper> {
  return areSessions(any) ? await any.session({ signal }) : any;
}

/**
 * Does work that goes on until its signal aborts: in the one session, or in each, where it begins again with every new one. It
 * is not done again after an error of its own.
 */
export async function inEachSession(
  any: AnySession,
  signal: AbortSignal | undefined,
  work: (zk: ZooKeeper, signal: AbortSignal | undefined) => Promise<void>,
): Promise<void> {
  if (!areSessions(any)) return await work(any, signal);
  await any.each((zk, context) => work(zk, context.signal), { signal, onFailure: 'stop' });
}

/** The values of a stream of each session, one after the other; the latest wins. `isNews` tells of repetitions. */
export function latestOfEach<T>(
  any: AnySession,
  signal: AbortSignal | undefined,
  stream: (zk: ZooKeeper, signal: AbortSignal | undefined) => AsyncIterable<T>,
  isNews: (value: T) => boolean = () => true,
): AsyncIterableIterator<T, undefined> {
  if (!areSessions(any)) return stream(any, signal)[Symbol.asyncIterator]() as AsyncIterableIterator<T, undefined>;
  const over = new AbortController();
  const values = new Latest<T>(() => over.abort());
  const either = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  const onFailure = (error: unknown): 'retry' | 'stop' => (mayRetry(error, { idempotent: true }) ? 'retry' : 'stop');
  any
    .each(
      async (zk, context) => {
        for await (const value of stream(zk, context.signal)) if (isNews(value)) values.push(value);
      },
      { signal: either, onFailure },
    )
    .then(
      () => (signal?.aborted ? values.fail(signal.reason) : values.finish()),
      (error) => (isQuorateError(error, 'sessions-stopped') ? values.finish() : values.fail(error)),
    );
  return values;
}

/** One thing for each session, the same whenever it is asked for. */
export function perSession<T>(make: (zk: ZooKeeper) => T): (zk: ZooKeeper) => T {
  const made = new WeakMap<ZooKeeper, T>();
  return (zk) => {
    const there = made.get(zk) ?? make(zk);
    made.set(zk, there);
    return there;
  };
}

/** Also when two copies of the package are installed. */
export function areSessions(any: AnySession): any is Sessions {
  return 'each' in any && typeof any.each === 'function';
}
