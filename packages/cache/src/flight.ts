import type { Outcome } from './diagnostics.ts';
import type { Errand } from './errand.ts';
import { CacheClosedError } from './errors/cache-closed-error.ts';
import type { Flying } from './flights.ts';
import { type Found, open } from './found.ts';
import { type Brought, Loading } from './loading.ts';
import { GivenUp } from './origin.ts';
import { silence } from './redis/link.ts';
import type { Source } from './stats.ts';
import type { Store } from './store.ts';

/** How long after a failure the next refresh of a key is tried, in milliseconds. */
const refreshPause = 1_000;

const over = Promise.resolve();

/** One key on its way, for all in this process who want it: from Redis, or by loading it. */
export class Flight implements Flying {
  readonly key: string;
  /** When it began; see `Coherence.moment`. */
  readonly since: number;
  /** What is kept of the value; see `Parcel.reveal`. For whoever joins it: when it has ended, it has let go of it. */
  result: Promise<unknown>;
  dirty = false;
  /** Where the value came from. */
  outcome: Outcome = 'redis';
  readonly #store: Store<Flight>;
  readonly #errand: Errand;
  #waiters = 0;
  #callers = 0;
  #source: Source | undefined = undefined;
  #ended: { readonly reason: unknown } | undefined = undefined;
  #loading: Loading | undefined = undefined;
  #brought: Pick<Brought, 'tags' | 'clock'> | undefined = undefined;

  constructor(store: Store<Flight>, errand: Errand) {
    this.#store = store;
    this.#errand = errand;
    this.key = errand.key;
    this.since = store.coherence.moment;
    this.result = this.#run();
  }

  /** Whether it brings the same thing, under the same token: another one may be refused what this one is not. */
  serves(version: string | undefined, fence: bigint | undefined): boolean {
    return this.#errand.version === version && this.#errand.keeping.fence === fence;
  }

  /** Whether what it has brought is good for somebody who has asked since it began, too. */
  holds(): boolean {
    const { tags, clock } = this.#brought ?? { tags: [], clock: 0 };
    return this.#store.coherence.holdsSince(tags, clock, this.since);
  }

  /** One more who waits until `leave`. When all have left, the load is aborted. Who comes late counts at the end. */
  join(late = false): void {
    this.#waiters += 1;
    if (late) return;
    if (this.#source === undefined) this.#callers += 1;
    else this.counted();
  }

  /** One more who has the value from there, or nothing. */
  counted(): void {
    this.#store.counters[this.#source ?? 'misses'] += 1;
  }

  /** It is known now where the value comes from: each caller counts, also those who join from now on. */
  count(source: Source): void {
    this.#source = source;
    this.#store.counters[source] += this.#callers;
  }

  leave(): void {
    this.#waiters -= 1;
    if (this.#waiters > 0) return;
    this.#depart();
    // What is changed from now on does not find it any more.
    this.dirty = true;
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
      const name = store.names.entry(key, version);
      if (!store.link.open && !(await store.link.meet())) return this.#give(await this.#load().alone());
      // Where the one before was not there, this one may not be either: the right to load it is asked for at once.
      const early = store.missed && beyond === undefined && keeping.fence === undefined;
      const claimed = early ? await this.#load().claim() : silence;
      const bytes = claimed === silence ? await store.link.read(name) : claimed;
      if (bytes === silence) return this.#give(await this.#load().alone());
      let seen: Buffer | undefined;
      if (bytes instanceof Buffer) {
        // A schema may hang, and is to end with the flight.
        const opening = keeping.schema === undefined ? open(store, keeping, bytes) : this.#load().look(bytes);
        const found = opening instanceof Promise ? await opening : opening;
        if (found === silence) return this.#give(await this.#load().alone());
        if ('value' in found) {
          if (beyond === undefined) return this.#hit(found);
          if (found.envelope.freshUntil > beyond) return this.#take(found, performance.now());
          seen = found.envelope.token;
        } else {
          seen = found.seen;
        }
      }
      this.count('misses');
      store.missed = true;
      return this.#give(await this.#load().fetch(seen, typeof bytes === 'number' ? bytes : undefined));
    } catch (error) {
      failed = true;
      throw store.closed ? new CacheClosedError(store.settings.prefix) : error;
    } finally {
      this.#end(failed);
    }
  }

  #give(brought: Brought): unknown {
    const { value, tags, clock } = brought;
    this.#brought = { tags, clock };
    return value;
  }

  /** Gives out what is in Redis, and sees to it that it is refreshed where it is time. */
  #hit(found: Found): unknown {
    const { link } = this.#store;
    const now = performance.now();
    const value = this.#take(found, now);
    this.#store.missed = false;
    const { freshUntil } = found.envelope;
    const serverNow = link.serverTime(now);
    const stale = serverNow >= freshUntil;
    this.count(stale ? 'staleServed' : 'redisHits');
    if (stale) this.outcome = 'stale';
    if (stale || serverNow >= this.#store.refreshAt(found.envelope)) {
      refresh(this.#store, this.#errand, stale ? serverNow : freshUntil);
    }
    return value;
  }

  #take({ value, bytes, envelope }: Found, now: number): unknown {
    if (!this.dirty) this.#store.adoptEnvelope(this.#errand, value, bytes, envelope, now);
    // Whoever asks while this is under way joins it, and needs to know: an envelope has both.
    this.#brought = { tags: envelope.tags, clock: envelope.clock };
    return value;
  }

  #load(): Loading {
    if (this.#loading) return this.#loading;
    if (this.#store.closed) throw new CacheClosedError(this.#store.settings.prefix);
    const loading = new Loading(this.#store, this.#errand, this);
    if (this.#ended) loading.abort(this.#ended.reason);
    this.#loading = loading;
    // What only reads ends by itself, and soon.
    this.#store.flights.underWay.add(this);
    return loading;
  }

  /** Nobody joins it any more. */
  #depart(): void {
    const { joinable } = this.#store.flights;
    if (joinable.get(this.key) === this) joinable.delete(this.key);
  }

  /** A refresh that has failed holds its place for a while: the next one would fail as well. */
  #end(failed = false): void {
    const { refreshes, underWay } = this.#store.flights;
    underWay.delete(this);
    this.#loading?.leave();
    // Whoever has asked counts, whatever it has failed of.
    if (this.#source === undefined) this.count('misses');
    // The maps it was in may keep it reachable for some collections of garbage: its value is not to stay as well.
    this.result = over;
    if (this.#errand.beyond === undefined) {
      this.#depart();
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
export function refresh(store: Store<Flight>, errand: Errand, beyond: number): void {
  const { refreshes } = store.flights;
  if (refreshes.has(errand.key) || store.closed) return;
  store.counters.refreshes += 1;
  const flight = new Flight(store, { ...errand, beyond });
  refreshes.set(errand.key, flight);
  // Nobody waits for it, and nobody needs to know.
  flight.result.catch(() => {});
}
