import { type Channel, channel, tracingChannel } from 'node:diagnostics_channel';

/** How a caller got its value. */
export type Outcome = 'local' | 'redis' | 'load' | 'wait' | 'stale';

/** Published on `quorate.cache.get`, once for each caller that was answered. Values are not part of it. */
export interface Answered {
  readonly cache: string;
  readonly key: string;
  readonly outcome: Outcome;
}

/** Traced on `quorate.cache.load`, from the call of the loader to its end. */
export interface TracedLoad {
  readonly cache: string;
  /** One, or all that a loader of `getMany` is asked for. */
  readonly keys: readonly string[];
  readonly origin: string;
}

/** Published on `quorate.cache.invalidate`. */
export interface Invalidated {
  readonly cache: string;
  readonly tags: readonly string[];
}

/** Published on `quorate.cache.state` when the way to Redis is lost or found again. */
export interface LinkChange {
  readonly cache: string;
  readonly redis: 'answers' | 'away';
}

export const answers: Channel<unknown, Answered> = channel('quorate.cache.get');
export const invalidations: Channel<unknown, Invalidated> = channel('quorate.cache.invalidate');
export const linkChanges: Channel<unknown, LinkChange> = channel('quorate.cache.state');

const loads = tracingChannel<TracedLoad, TracedLoad>('quorate.cache.load');

/** The channel would publish what a traced promise gives: values are nobody else's business. */
export async function traced<T>(load: TracedLoad, work: () => Promise<T>): Promise<T> {
  if (!loads.hasSubscribers) return work();
  const { promise, resolve } = Promise.withResolvers<T>();
  await loads.tracePromise(async () => resolve(await work()), load);
  return promise;
}
