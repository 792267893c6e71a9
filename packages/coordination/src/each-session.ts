import { isQuorateError, Latest, mayRetry } from '@quorate/core';
import type { AfterFailure, Sessions, ZooKeeper } from '@quorate/zookeeper';

/** Where what lasts may stand: in one session, or in one after the other. */
export type AnySession = ZooKeeper | Sessions;

/** For work that may be done twice. */
export const whereItMayHelp = (error: unknown): 'retry' | 'stop' =>
  mayRetry(error, { idempotent: true }) ? 'retry' : 'stop';

/** The session itself, or the one there is now. */
export async function sessionOf(any: AnySession, signal: AbortSignal | undefined): Promise<ZooKeeper> {
  return areSessions(any) ? await any.session({ signal }) : any;
}

/**
 * Does work that goes on until its signal aborts: in the one session, or in each, where it begins again with every new one. In
 * the one session it is not done again after an error of its own, in many only where `onFailure` says so.
 */
export async function inEachSession<Signal extends AbortSignal | undefined>(
  any: AnySession,
  signal: Signal,
  work: (zk: ZooKeeper, signal: Signal | AbortSignal) => Promise<void>,
  onFailure: AfterFailure = 'stop',
): Promise<void> {
  if (!areSessions(any)) return await work(any, signal);
  await any.each((zk, context) => work(zk, context.signal), { signal, onFailure });
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
  any
    .each(
      async (zk, context) => {
        for await (const value of stream(zk, context.signal)) if (isNews(value)) values.push(value);
      },
      { signal: either, onFailure: whereItMayHelp },
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
  return typeof (any as Partial<Sessions> | null | undefined)?.each === 'function';
}
