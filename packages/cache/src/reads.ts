import { InvalidArgumentError } from '@quorate/core';
import { answers, type Outcome } from './diagnostics.ts';
import { checkGet, type GetOptions, type Keeping } from './entry-options.ts';
import type { Errand } from './errand.ts';
import { CacheClosedError } from './errors/cache-closed-error.ts';
import { Flight, refresh } from './flight.ts';
import { checkKey } from './key.ts';
import type { Load } from './load-context.ts';
import type { LocalEntry } from './local/local-entry.ts';
import type { Store } from './store.ts';
import { orAborted, Wait, waited } from './waited.ts';
import { readingUnder, unanswered, type Writes } from './writes.ts';

/** What is read beside an ordinary key: one of a namespace, or one of many that are loaded together. */
export interface Special {
  readonly version?: string;
  readonly guarded?: boolean;
  /** Called when it comes from somewhere else. */
  readonly aside?: () => void;
}

const ordinary: Special = {};

/** What is read: from this process, else by a flight that all share who ask at once. */
export class Reads {
  readonly #store: Store<Flight>;
  readonly #writes: Writes;

  constructor(store: Store<Flight>, writes: Writes) {
    this.#store = store;
    this.#writes = writes;
  }

  get<T>(key: string, load: Load<T>, options: GetOptions<T> | undefined, special: Special = ordinary): Promise<T> {
    const store = this.#store;
    if (options?.fence !== undefined) return this.forUpdate(key, load, options, async () => ({ key, ...special }));
    const entry = store.local?.get(key);
    if (entry !== undefined && entry.version === special.version) {
      const now = performance.now();
      const { coherence } = store;
      const { tagging } = entry;
      // What most calls come to: it stands in this process, and all that was changed anywhere has been heard.
      const untouched = tagging === undefined || tagging.checkedAt === coherence.moment;
      if (now < entry.readyUntil && now < coherence.heardUntil && untouched) return this.#local(entry) as Promise<T>;
      if ((now < entry.staleUntil || now < entry.freshUntil) && coherence.vouches(entry, now)) {
        return this.#old(entry, now, load, options, special) as Promise<T>;
      }
    }
    return this.#fly(key, load, options, special) as Promise<T>;
  }

  /**
   * What is read under a token may decide what is written under it: the token goes with the read, and the memory is
   * passed over. `place` says what is to be read, once the bar is raised.
   */
  async forUpdate<T>(
    bar: string,
    load: Load<T>,
    options: GetOptions<T>,
    place: (signal: AbortSignal | undefined) => Promise<Special & { readonly key: string }>,
  ): Promise<T> {
    checkKey(bar);
    if (typeof load !== 'function') throw new InvalidArgumentError('load', 'a function', load);
    const { fence = 0n } = checkGet(options, this.#store.settings);
    using wait = new Wait(bar, options);
    const { signal } = wait;
    const unfound = (error: unknown): never => {
      this.#store.counters.misses += 1;
      throw error;
    };
    await this.#writes.raise(bar, fence, signal).catch(unfound);
    const read = async (): Promise<T> => {
      const { key, ...special } = await place(signal).catch(unfound);
      return (await this.#fly(key, load, wait.instead(options), special)) as T;
    };
    // Whoever gives up now has raised the bar.
    return await orAborted(signal, read(), unanswered(readingUnder(bar, fence)));
  }

  #local(entry: LocalEntry): Promise<unknown> {
    const { counters, parcel } = this.#store;
    counters.localHits += 1;
    if (answers.hasSubscribers) this.#tell(entry.key, 'local');
    return Promise.resolve(parcel.veiled ? parcel.reveal(entry.value) : entry.value);
  }

  /** Still good, or stale: given out at once, and loaded anew in the background where it is time. */
  async #old(
    entry: LocalEntry,
    now: number,
    load: Load<unknown>,
    options: GetOptions | undefined,
    special: Special,
  ): Promise<unknown> {
    if (now < entry.readyUntil) return this.#local(entry);
    const store = this.#store;
    const keeping = checkGet(options, store.settings);
    const stale = now >= entry.freshUntil;
    // Both clocks may be a little off: later by less than this is the same value.
    const beyond = store.link.serverTime(stale ? now : entry.freshUntil + 50);
    refresh(store, this.#errand(entry.key, load, keeping, special), Number.isNaN(beyond) ? Infinity : beyond);
    if (!stale) return this.#local(entry);
    store.counters.staleServed += 1;
    if (answers.hasSubscribers) this.#tell(entry.key, 'stale');
    return store.parcel.reveal(entry.value);
  }

  #fly(
    key: string,
    load: Load<unknown>,
    options: GetOptions | undefined,
    special: Special,
    asked: number = this.#store.coherence.ask(),
  ): Promise<unknown> {
    const store = this.#store;
    try {
      if (store.closed) throw new CacheClosedError(store.settings.prefix);
      checkKey(key);
      if (typeof load !== 'function') throw new InvalidArgumentError('load', 'a function', load);
      const keeping = checkGet(options, store.settings);
      options?.signal?.throwIfAborted();
      const { joinable } = store.flights;
      let flight = joinable.get(key);
      // What replaces it is told of changes, it is not any more.
      if (flight !== undefined && !flight.serves(special.version, keeping.fence)) {
        flight.dirty = true;
        flight = undefined;
      }
      if (flight === undefined) {
        flight = new Flight(store, this.#errand(key, load, keeping, special));
        joinable.set(key, flight);
      } else {
        special.aside?.();
        if (flight.since < asked) return this.#joinLate(flight, load, options, special, asked);
        store.counters.joined += 1;
      }
      return this.#wait(flight, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #wait(flight: Flight, options: GetOptions | undefined): Promise<unknown> {
    flight.join();
    const result = this.#resultOf(flight, options);
    return this.#store.parcel.veiled || answers.hasSubscribers ? this.#handOver(flight, result) : result;
  }

  #resultOf(flight: Flight, options: GetOptions | undefined): Promise<unknown> {
    return options?.signal || options?.timeout !== undefined ? waited(flight, options) : flight.result;
  }

  /**
   * Something was said since this flight began, or nothing can be heard: what it brings is good for this caller when no
   * word was about it, and that is known when it is there. If not, whoever has come late flies again, together.
   */
  async #joinLate(
    flight: Flight,
    load: Load<unknown>,
    options: GetOptions | undefined,
    special: Special,
    asked: number,
  ): Promise<unknown> {
    const { flights } = this.#store;
    using wait = new Wait(flight.key, options ?? {});
    const rest = wait.instead(options);
    flight.join(true);
    const result = this.#resultOf(flight, rest);
    await result.catch((error) => {
      flight.counted();
      throw error;
    });
    if (flight.holds()) {
      flight.counted();
      this.#store.counters.joined += 1;
      return await this.#handOver(flight, result);
    }
    if (flights.joinable.get(flight.key) === flight) flights.supersede(flight.key);
    return await this.#fly(flight.key, load, rest, special, asked);
  }

  async #handOver(flight: Flight, result: Promise<unknown>): Promise<unknown> {
    const kept = await result;
    if (answers.hasSubscribers) this.#tell(flight.key, flight.outcome);
    return this.#store.parcel.reveal(kept);
  }

  #errand(key: string, load: Load<unknown>, keeping: Keeping, { version, guarded = false, aside }: Special): Errand {
    return { key, load, keeping, version, guarded, aside };
  }

  #tell(key: string, outcome: Outcome): void {
    answers.publish({ cache: this.#store.settings.prefix, key, outcome });
  }
}
