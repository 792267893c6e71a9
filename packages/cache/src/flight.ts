import type { Outcome } from './diagnostics.ts';
import { CacheClosedError } from './errors/cache-closed-error.ts';
import { type Found, open } from './found.ts';
import { type Errand, Loading } from './loading.ts';
import { GivenUp } from './origin.ts';
import { silence } from './redis/link.ts';
import type { Source } from './stats.ts';
import type { Store } from './store.ts';

/** How long after a failure the next refresh of a key is tried, in milliseconds. */
const refreshPause = 1_000;

/** One key on its way, for all in this process who want it: from Redis, or by loading it. */
export class Flight {
  readonly key: string;
  /** What is kept of the value; see `Parcel.reveal`. */
  readonly result: Promise<unknown>;
  /** Something was changed meanwhile: what it brings is given out to those who wait, and not kept in this process. */
  dirty = false;
  /** Where the value came from. */
  outcome: Outcome = 'redis';
  readonly #store: Store;
  readonly #errand: Errand;
  #waiters = 0;
  #callers = 0;
  #source: Source | undefined = undefined;
  #ended: { readonly reason: unknown } | undefined = undefined;
  #loading: Loading | undefined = undefined;

  constructor(store: Store, errand: Errand) {
    this.#store = store;
    this.#errand = errand;
    this.key = errand.key;
    this.result = this.#run();
  }

  /** Whether it brings the same thing, under the same token: another one may be refused what this one is not. */
  serves(version: string | undefined, fence: bigint | undefined): boolean {
    return this.#errand.version === version && this.#errand.keeping.fence === fence;
  }

  /** One more who waits until `leave`. When all have left, the load is aborted. */
  join(): void {
    this.#waiters += 1;
    this.#callers += 1;
    if (this.#source !== undefined) this.#store.counters[this.#source] += 1;
  }

  /** It is known now where the value comes from: each caller counts, also those who join from now on. */
  count(source: Source): void {
    this.#source = source;
    this.#store.counters[source] += this.#callers;
  }

  leave(): void {
    this.#waiters -= 1;
    if (this.#waiters > 0) return;
    this.#end();
    this.abort(new GivenUp('no caller waits for this load any more'));
  }

  abort(reason: unknown): void {
    this.#ended = { reason };
    this.#loading?.abort(reason);
  }

  async #run(): Promise<unknown> {
    const store = this.#store;
    const { key, version, keeping, beyond } = this.#errand;
    let failed = false;
    try {
      if (store.link.away && !(await store.link.meet())) return await this.#load().alone();
      const bytes = await store.link.read(store.names.entry(key, version));
      if (bytes === silence) return await this.#load().alone();
      let seen: Buffer | undefined;
      if (bytes !== null) {
        const opening = open(store, keeping, bytes);
        const found = opening instanceof Promise ? await opening : opening;
        if (found === silence) return await this.#load().alone();
        if ('value' in found) {
          if (beyond === undefined) return this.#give(found);
          if (found.envelope.freshUntil > beyond) return this.#take(found, performance.now());
          seen = found.envelope.token;
        } else {
          seen = found.seen;
        }
      }
      this.count('misses');
      return await this.#load().fetch(seen);
    } catch (error) {
      failed = true;
      throw store.closed ? new CacheClosedError(store.settings.prefix) : error;
    } finally {
      this.#end(failed);
    }
  }

  /** Gives out what is in Redis, and sees to it that it is refreshed where it is time. */
  #give(found: Found): unknown {
    const { link } = this.#store;
    const now = performance.now();
    const value = this.#take(found, now);
    const { freshUntil, loadMs, absent } = found.envelope;
    const serverNow = link.serverTime(now);
    const stale = serverNow >= freshUntil;
    this.count(stale ? 'staleServed' : 'redisHits');
    if (stale) this.outcome = 'stale';
    if (stale || this.#store.drawEarly(serverNow, freshUntil, this.#store.earlySpan(loadMs, absent))) {
      refresh(this.#store, this.#errand, stale ? serverNow : freshUntil);
    }
    return value;
  }

  #take({ value, bytes, envelope }: Found, now: number): unknown {
    if (!this.dirty) this.#store.adoptEnvelope(this.#errand, value, bytes, envelope, now);
    return value;
  }

  #load(): Loading {
    if (this.#store.closed) throw new CacheClosedError(this.#store.settings.prefix);
    const loading = new Loading(this.#store, this.#errand, this);
    if (this.#ended) loading.abort(this.#ended.reason);
    this.#loading = loading;
    // What only reads ends by itself, and soon.
    this.#store.underWay.add(this);
    return loading;
  }

  /** Nobody joins it any more. A refresh that has failed holds its place for a while: the next one would fail as well. */
  #end(failed = false): void {
    const { flights, refreshes, underWay } = this.#store;
    underWay.delete(this);
    if (this.#errand.beyond === undefined) {
      if (flights.get(this.key) === this) flights.delete(this.key);
      return;
    }
    const leave = (): void => {
      if (refreshes.get(this.key) === this) refreshes.delete(this.key);
    };
    if (failed) setTimeout(leave, refreshPause).unref();
    else leave();
  }
}

/** Loads anew in the background, unless that is being done already. */
export function refresh(store: Store, errand: Errand, beyond: number): void {
  if (store.refreshes.has(errand.key) || store.closed) return;
  store.counters.refreshes += 1;
  const flight = new Flight(store, { ...errand, beyond });
  store.refreshes.set(errand.key, flight);
  // Nobody waits for it, and nobody needs to know.
  flight.result.catch(() => {});
}
