import { type Component, doubtful, type Health, InvalidArgumentError, isQuorateError } from '@quorate/core';
import { answers, type Outcome } from './diagnostics.ts';
import { checkGet, type GetOptions, type Keeping, type SetOptions } from './entry-options.ts';
import { CacheClosedError } from './errors/cache-closed-error.ts';
import { Flight, refresh } from './flight.ts';
import { checkKey } from './key.ts';
import type { Load } from './load-context.ts';
import { type LoadMany, Together } from './load-many.ts';
import type { Errand } from './loading.ts';
import type { LocalEntry } from './local/local-entry.ts';
import { Namespace } from './namespace.ts';
import { type CacheOptions, checkOptions } from './options.ts';
import { type PeekOptions, peek } from './peek.ts';
import type { CacheStats } from './stats.ts';
import { Store } from './store.ts';
import { orAborted, Wait, waited } from './waited.ts';
import { type WrapOptions, type Wrapped, type WrappedLoad, wrap } from './wrap.ts';
import { readingUnder, unanswered, Writes } from './writes.ts';

/** How `get` of a namespace differs from the cache's own. */
export interface Special {
  readonly version?: string;
  readonly guarded?: boolean;
  /** Called when the value comes from somebody else's load. */
  readonly aside?: () => void;
}

/**
 * A read-through cache: this process first, then Redis, then the origin, which is asked once for a key however many
 * processes want it.
 *
 *     await using cache = new Cache({ redis, prefix: 'taxi', ttl: '5m', stale: '1h' });
 *     const zone = await cache.get('zone:7', ({ signal }) => loadZone(7, { signal }), { tags: ['zones'] });
 *
 * What can be stale, for how long, and why: `docs/cache.md`.
 */
export class Cache implements Component, AsyncDisposable {
  readonly name: string;
  readonly #store: Store;
  readonly #writes: Writes;
  #closed = false;

  constructor(options: CacheOptions) {
    const settings = checkOptions(options);
    this.name = `cache ${settings.prefix}`;
    this.#store = new Store(settings);
    this.#writes = new Writes(this.#store);
    this.#store.open();
  }

  /** The value under this key: the one that is known, or what `load` gives. All who ask at once share one load. */
  get<T>(key: string, load: Load<T>, options?: GetOptions<T>): Promise<T> {
    const store = this.#store;
    if (options?.fence !== undefined) return this.forUpdate(key, load, options, async () => ({ key }));
    const entry = store.local?.get(key);
    if (entry !== undefined && entry.version === undefined) {
      const now = performance.now();
      // What most calls come to: it stands in this process, and all that was changed anywhere has been heard.
      const { tagging } = entry;
      const untouched = tagging === undefined || tagging.checkedAt === store.tags.learnt;
      if (now < entry.readyUntil && now < store.heardUntil && untouched) return this.#local(entry) as Promise<T>;
      if (store.vouches(entry, now) && (now < entry.staleUntil || now < entry.freshUntil)) {
        return this.#old(entry, now, load, options) as Promise<T>;
      }
    }
    return this.#fly(key, load, options, {}) as Promise<T>;
  }

  /**
   * All values under these keys, in their order. `load` is called once, with the keys that nobody has and nobody else loads;
   * again only for a key whose other load has failed, and to refresh.
   */
  async getMany<T>(keys: readonly string[], load: LoadMany<T>, options?: GetOptions<T>): Promise<Map<string, T>> {
    if (!Array.isArray(keys)) throw new InvalidArgumentError('keys', 'a list of keys', keys);
    for (const key of keys) checkKey(key, 'keys');
    const store = this.#store;
    const many = new Together(load, store.settings.loadTimeout, (key, allowance, work) =>
      store.origin.call(key, options?.origin ?? '', allowance, () => store.counters.counted(work)),
    );
    const unique = [...new Set(keys)];
    const parts = unique.map(() => many.part());
    const values = await Promise.all(
      parts.map(({ load: loadOne, aside }, index) => {
        const value = this.special(unique[index] as string, loadOne, options, { guarded: true, aside });
        value.then(aside, aside);
        return value;
      }),
    );
    const found = new Map<string, T>();
    for (const [index, key] of unique.entries()) if (values[index] !== undefined) found.set(key, values[index] as T);
    return found;
  }

  /**
   * The value that is known under this key, in this process or in Redis, fresh or stale; undefined when there is none. Never
   * loads. `has` tells what is known to be absent from what is not known.
   */
  async peek<T = unknown>(key: string, options?: PeekOptions<T>): Promise<T | undefined> {
    return (await peek(this.#store, key, options))?.value as T | undefined;
  }

  /** Whether `peek` would give a value: true, false when its loader has said that there is none, undefined when nothing is known. */
  async has(key: string, options?: PeekOptions): Promise<boolean | undefined> {
    const known = await peek(this.#store, key, options);
    return known && known.value !== undefined;
  }

  /** Writes a value for everybody. Loads that began before it are not kept. */
  async set(key: string, value: unknown, options?: SetOptions): Promise<void> {
    await this.#writes.set(key, value, options);
  }

  /** The same for many: each by itself, all on their way at once. The first error is thrown when all have ended. */
  async setMany(entries: Iterable<readonly [key: string, value: unknown]>, options?: SetOptions): Promise<void> {
    await allDone([...entries].map(([key, value]) => this.set(key, value, options)));
  }

  /** Forgets a key, or several, everywhere. Loads that began before it are not kept. */
  async delete(keys: string | readonly string[], options?: Pick<SetOptions, 'fence' | 'signal'>): Promise<void> {
    const all = typeof keys === 'string' ? [keys] : keys;
    if (!Array.isArray(all)) throw new InvalidArgumentError('keys', 'a key, or a list of keys', keys);
    for (const key of all) checkKey(key);
    await allDone(all.map((key) => this.#writes.delete(key, options)));
  }

  /** Forgets all that has any of these tags, everywhere, in one write, whatever the number of keys. */
  async invalidate(options: { readonly tags: readonly string[]; readonly signal?: AbortSignal }): Promise<void> {
    await this.#writes.invalidate(options);
  }

  /** Keys that belong to a version of something, which moves in one step: what was kept for the old one is then out of reach. */
  namespace(name: string): Namespace {
    checkKey(name, 'name');
    if (/[@:\s]/.test(name)) throw new InvalidArgumentError('name', 'a name without @, colons and spaces', name);
    return new Namespace(this, this.#store, name, this.#writes);
  }

  /** A function that remembers: the same arguments give what the first call gave. */
  wrap<Args extends readonly unknown[], T>(
    load: WrappedLoad<Args, T>,
    options: WrapOptions<Args, T>,
  ): Wrapped<Args, T> {
    return wrap(this, load, options);
  }

  /** Counts since the cache was made, and what it holds now. */
  stats(): CacheStats {
    return this.#store.counters.summary(this.#store.local);
  }

  health(): Health {
    if (this.#closed) return { status: 'fail', detail: 'closed' };
    const { link, origin, channelOpen } = this.#store;
    const broken = origin.broken;
    const redis: Health = link.away
      ? { status: 'warn', detail: 'Redis does not answer: values come from this process and the origin' }
      : channelOpen
        ? { status: 'pass' }
        : {
            status: 'warn',
            detail: 'changes by other processes are not received: every call asks Redis',
          };
    const behind: Health =
      broken.length === 0
        ? { status: 'pass' }
        : { status: 'warn', detail: `loading fails: ${broken.map((name) => name || 'the origin').join(', ')}` };
    const bad = [redis, behind].filter(({ status }) => status !== 'pass');
    const detail = bad.map((health) => health.detail).join('; ');
    return { status: bad.length > 0 ? 'warn' : 'pass', ...(detail && { detail }), parts: { redis, origin: behind } };
  }

  /** Resolves when Redis has answered, or does not; the cache works either way. */
  async start(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.#store.link.meet();
    signal?.throwIfAborted();
  }

  /** Ends what is under way, with a `cache-closed` error for those who wait. The Redis client is yours and stays open. */
  async stop(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#store.close(new CacheClosedError(this.#store.settings.prefix));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** @internal For namespaces and loads of many. */
  special<T>(key: string, load: Load<T>, options: GetOptions<T> | undefined, special: Special): Promise<T> {
    if (options?.fence !== undefined) return this.forUpdate(key, load, options, async () => ({ key, ...special }));
    const entry = this.#store.local?.get(key);
    const now = performance.now();
    const same = entry !== undefined && entry.version === special.version;
    if (same && this.#store.vouches(entry, now) && (now < entry.freshUntil || now < entry.staleUntil)) {
      if (now < entry.readyUntil) return this.#local(entry) as Promise<T>;
      return this.#old(entry, now, load, options, special) as Promise<T>;
    }
    return this.#fly(key, load, options, special) as Promise<T>;
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
    special: Special = {},
  ): Promise<unknown> {
    const store = this.#store;
    const keeping = checkGet(options, store.settings);
    const stale = now >= entry.freshUntil;
    if (
      stale ||
      (now >= entry.readyUntil && store.drawEarly(now, entry.freshUntil, entry.freshUntil - entry.readyUntil))
    ) {
      // Both clocks may be a little off: later by less than this is the same value.
      const beyond = store.link.serverTime(stale ? now : entry.freshUntil + 50);
      refresh(store, this.#errand(entry.key, load, keeping, special), Number.isNaN(beyond) ? Infinity : beyond);
    }
    if (!stale) return this.#local(entry);
    store.counters.staleServed += 1;
    if (answers.hasSubscribers) this.#tell(entry.key, 'stale');
    return store.parcel.reveal(entry.value);
  }

  /**
   * @internal What is read under a token may decide what is written under it: the token goes with the read, and the
   * memory is passed over. `place` says what is to be read, once the bar is raised.
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
    await this.#writes.raise(bar, fence, signal);
    const read = async (): Promise<T> => {
      const { key, ...special } = await place(signal);
      return (await this.#fly(key, load, wait.instead(options), special)) as T;
    };
    // Whoever gives up now has raised the bar.
    return await orAborted(signal, read(), unanswered(readingUnder(bar, fence)));
  }

  #fly(key: string, load: Load<unknown>, options: GetOptions | undefined, special: Special): Promise<unknown> {
    const store = this.#store;
    try {
      if (this.#closed) throw new CacheClosedError(store.settings.prefix);
      checkKey(key);
      if (typeof load !== 'function') throw new InvalidArgumentError('load', 'a function', load);
      const keeping = checkGet(options, store.settings);
      options?.signal?.throwIfAborted();
      let flight = store.flights.get(key);
      // What replaces it is told of changes, it is not any more.
      if (flight !== undefined && !flight.serves(special.version, keeping.fence)) {
        flight.dirty = true;
        flight = undefined;
      }
      if (flight === undefined) {
        flight = new Flight(store, this.#errand(key, load, keeping, special));
        store.flights.set(key, flight);
      } else {
        store.counters.joined += 1;
        special.aside?.();
      }
      flight.join();
      const result = options?.signal || options?.timeout !== undefined ? waited(flight, options) : flight.result;
      return store.parcel.veiled || answers.hasSubscribers ? this.#handOver(flight, result) : result;
    } catch (error) {
      return Promise.reject(error);
    }
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

/** Throws the first error when all have ended. That nothing happened is certain only when it is so of every one. */
async function allDone(works: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(works);
  const failed = results.filter((result) => result.status === 'rejected');
  if (failed.length === 0) return;
  const nothing =
    failed.length === works.length && failed.every(({ reason }) => isQuorateError(reason) && reason.happened === 'no');
  const [first] = failed;
  throw nothing ? first?.reason : doubtful(first?.reason);
}
