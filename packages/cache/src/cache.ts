import {
  AmbiguousError,
  type Component,
  DeadlineExceededError,
  type Health,
  InvalidArgumentError,
} from '@quorate/core';
import { answers, invalidations, type Outcome } from './diagnostics.ts';
import { checkDuration } from './duration.ts';
import { checkGet, checkSet, checkWaiting, type GetOptions, type Keeping, type SetOptions } from './entry-options.ts';
import { CacheClosedError } from './errors/cache-closed-error.ts';
import { FencedError } from './errors/fenced-error.ts';
import { RedisRefusedError } from './errors/redis-refused-error.ts';
import { RedisUnavailableError } from './errors/redis-unavailable-error.ts';
import { ValueTooLargeError } from './errors/value-too-large-error.ts';
import { Flight, refresh } from './flight.ts';
import { checkFence, checkKey, checkTags } from './key.ts';
import type { Load } from './load-context.ts';
import { type LoadMany, together } from './load-many.ts';
import type { Errand } from './loading.ts';
import type { LocalEntry } from './local/local-entry.ts';
import { Namespace } from './namespace.ts';
import { type CacheOptions, checkOptions } from './options.ts';
import { seal } from './redis/envelope.ts';
import { fenceOf, leaseOf, waitersOf } from './redis/key-names.ts';
import { silence } from './redis/link.ts';
import { keyMessage, wakeMessage } from './redis/message.ts';
import { put } from './redis/scripts.ts';
import type { CacheStats } from './stats.ts';
import { fenceLife, Store } from './store.ts';
import { type WrapOptions, type Wrapped, type WrappedLoad, wrap } from './wrap.ts';

/** How `get` of a namespace differs from the cache's own. */
export interface Special {
  readonly version?: string;
  readonly guarded?: boolean;
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
  #closed = false;

  constructor(options: CacheOptions) {
    const settings = checkOptions(options);
    this.name = `cache ${settings.prefix}`;
    this.#store = new Store(settings);
    this.#store.open();
  }

  /** The value under this key: the one that is known, or what `load` gives. All who ask at once share one load. */
  get<T>(key: string, load: Load<T>, options?: GetOptions<T>): Promise<T> {
    const store = this.#store;
    const entry = store.local?.get(key);
    if (entry !== undefined) {
      const now = performance.now();
      // What most calls come to: it stands in this process, and all that was changed anywhere has been heard.
      const { tagging } = entry;
      const untouched = tagging === undefined || tagging.checkedAt >= store.tags.now;
      if (now < entry.readyUntil && now < store.heardUntil && untouched) return this.#local(entry) as Promise<T>;
      if (store.vouches(entry, now) && (now < entry.staleUntil || now < entry.freshUntil)) {
        return this.#old(entry, now, load, options) as Promise<T>;
      }
    }
    return this.#fly(key, load, options, {}) as Promise<T>;
  }

  /** All values under these keys, in their order; `load` is called once, with the keys that nobody has. */
  async getMany<T>(keys: readonly string[], load: LoadMany<T>, options?: GetOptions<T>): Promise<Map<string, T>> {
    if (!Array.isArray(keys)) throw new InvalidArgumentError('keys', 'a list of keys', keys);
    for (const key of keys) checkKey(key, 'keys');
    const store = this.#store;
    const loadOne = together(load, store.settings.loadTimeout, (key, work) =>
      store.origin.call(key, options?.origin ?? '', () => store.counters.counted(work)),
    );
    const unique = [...new Set(keys)];
    const values = await Promise.all(unique.map((key) => this.special(key, loadOne, options, { guarded: true })));
    const found = new Map<string, T>();
    for (const [index, key] of unique.entries()) if (values[index] !== undefined) found.set(key, values[index] as T);
    return found;
  }

  /** Writes a value for everybody. Loads that began before it are not kept. */
  async set(key: string, value: unknown, options?: SetOptions): Promise<void> {
    checkKey(key);
    const keeping = checkSet(options, this.#store.settings);
    if (value === undefined)
      throw new InvalidArgumentError('value', 'anything but undefined: delete says that there is none');
    if (keeping.ttl === 0) throw new InvalidArgumentError('ttl', 'more than 0 to set a value', 0);
    await this.#put(key, await this.#sealed(key, value, keeping), keeping, options?.signal);
  }

  /** The same for many: each by itself, all on their way at once. The first error is thrown when all have ended. */
  async setMany(entries: Iterable<readonly [key: string, value: unknown]>, options?: SetOptions): Promise<void> {
    const results = await Promise.allSettled([...entries].map(([key, value]) => this.set(key, value, options)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Forgets a key, or several, everywhere. Loads that began before it are not kept. */
  async delete(keys: string | readonly string[], options?: Pick<SetOptions, 'fence' | 'signal'>): Promise<void> {
    const all = typeof keys === 'string' ? [keys] : keys;
    if (!Array.isArray(all)) throw new InvalidArgumentError('keys', 'a key, or a list of keys', keys);
    for (const key of all) checkKey(key);
    const keeping = checkSet(options, this.#store.settings);
    const results = await Promise.allSettled(all.map((key) => this.#put(key, '', keeping, options?.signal)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Forgets all that has any of these tags, everywhere, in one write, whatever the number of keys. */
  async invalidate(options: { readonly tags: readonly string[]; readonly signal?: AbortSignal }): Promise<void> {
    if (typeof options !== 'object' || options === null)
      throw new InvalidArgumentError('options', 'an object', options);
    const tags = checkTags(options.tags);
    if (tags.length === 0) throw new InvalidArgumentError('tags', 'at least one tag', tags);
    checkWaiting(options);
    const store = this.#store;
    await this.#write(`invalidating ${tags.join(', ').slice(0, 200)}`, options.signal, async () => {
      store.supersedeAll();
      const outcome = await store.tags.invalidate(tags);
      store.supersedeAll();
      if (outcome !== silence) return outcome;
      // It may have happened, and we would not be told.
      for (const entry of [...(store.local ?? [])]) {
        if (entry.tagging?.tags.some((tag) => tags.includes(tag))) store.local?.delete(entry.key);
      }
      return silence;
    });
    if (invalidations.hasSubscribers) invalidations.publish({ cache: store.settings.prefix, tags });
  }

  /** Keys that belong to a version of something, which moves in one step: what was kept for the old one is then out of reach. */
  namespace(name: string): Namespace {
    checkKey(name, 'name');
    if (/[@:\s]/.test(name)) throw new InvalidArgumentError('name', 'a name without @, colons and spaces', name);
    return new Namespace(this, this.#store, name, (what, signal, work) => this.#write(what, signal, work));
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
      ? { status: 'warn', detail: 'Redis does not answer: the cache goes on from this process and the origin' }
      : channelOpen
        ? { status: 'pass' }
        : {
            status: 'warn',
            detail: 'changes by other processes are not heard: nothing is taken from this process unasked',
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
    const store = this.#store;
    await store.close(new CacheClosedError(store.settings.prefix));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** @internal For namespaces and loads of many. */
  special<T>(key: string, load: Load<T>, options: GetOptions<T> | undefined, special: Special): Promise<T> {
    const entry = this.#store.local?.get(key);
    const now = performance.now();
    if (entry !== undefined && this.#store.vouches(entry, now) && (now < entry.freshUntil || now < entry.staleUntil)) {
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

  #fly(key: string, load: Load<unknown>, options: GetOptions | undefined, special: Special): Promise<unknown> {
    const store = this.#store;
    try {
      if (this.#closed) throw new CacheClosedError(store.settings.prefix);
      checkKey(key);
      if (typeof load !== 'function') throw new InvalidArgumentError('load', 'a function', load);
      const keeping = checkGet(options, store.settings);
      options?.signal?.throwIfAborted();
      let flight = store.flights.get(key);
      if (flight === undefined) {
        flight = new Flight(store, this.#errand(key, load, keeping, special));
        store.flights.set(key, flight);
      } else {
        store.counters.joined += 1;
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

  #errand(key: string, load: Load<unknown>, keeping: Keeping, { version, guarded = false }: Special): Errand {
    return { key, load, keeping, version, guarded };
  }

  async #sealed(key: string, value: unknown, keeping: Keeping): Promise<Buffer> {
    const { parcel, settings, link, tags } = this.#store;
    const written = parcel.write(key, value);
    if (written.bytes > settings.maxValueBytes)
      throw new ValueTooLargeError(key, written.bytes, settings.maxValueBytes);
    if (this.#closed) throw new CacheClosedError(settings.prefix);
    if (keeping.tags.length > 0) await tags.prepare(keeping.tags);
    await link.meet();
    const freshUntil = link.serverTime(performance.now()) + keeping.ttl;
    const { payload, compressed } = await parcel.pack(written);
    const header = { absent: false, compressed, serializer: settings.serializer.name, loadMs: 0, tags: keeping.tags };
    return seal(
      { ...header, clock: tags.now, freshUntil, staleUntil: freshUntil + keeping.stale, token: stamp() },
      payload,
    );
  }

  async #put(key: string, sealed: string | Buffer, keeping: Keeping, signal: AbortSignal | undefined): Promise<void> {
    const store = this.#store;
    const { names, id, link } = store;
    const what = `${sealed === '' ? 'deleting' : 'setting'} ${key}`;
    const reply = await this.#write(what, signal, async () => {
      store.supersede(key);
      const entry = names.entry(key);
      const keys = [entry, leaseOf(entry), waitersOf(entry), fenceOf(entry)];
      const life = String(keeping.ttl + keeping.stale);
      const fence = [keeping.fence?.toString() ?? '', String(fenceLife)];
      const wakeUp = [`${names.channel}:`, wakeMessage(key), names.channel, keyMessage(id, key)];
      const outcome = await link.run(put, keys, [sealed, life, ...fence, ...wakeUp]);
      // Whoever has read in between may have read what was there before.
      store.supersede(key);
      return outcome;
    });
    if (reply === 2) throw new FencedError(key, checkFence(keeping.fence));
  }

  /** A write is told what became of it: done, refused, not sent, or nobody knows. */
  async #write<T>(what: string, signal: AbortSignal | undefined, work: () => Promise<T | typeof silence>): Promise<T> {
    const { settings, link } = this.#store;
    if (this.#closed) throw new CacheClosedError(settings.prefix);
    signal?.throwIfAborted();
    await link.meet();
    if (link.away) throw new RedisUnavailableError(what);
    const refused = (error: unknown): never => {
      throw new RedisRefusedError(what, error);
    };
    const reply = await orAborted(signal, what, work().catch(refused));
    if (reply === silence)
      throw new AmbiguousError(
        `${what}: Redis did not answer within ${settings.redisTimeout} ms; it may have happened`,
      );
    return reply;
  }

  #tell(key: string, outcome: Outcome): void {
    answers.publish({ cache: this.#store.settings.prefix, key, outcome });
  }
}

let stamps = 0;

/** Unlike the token of any other write, so that whoever has seen one of them notices: below 0, for tokens are above. */
function stamp(): number {
  stamps += 1;
  return -(Math.trunc(Math.random() * 2 ** 40) * 2 ** 12 + (stamps % 2 ** 12));
}

/** This caller's own wait: the others are not concerned. */
function waited(flight: Flight, { signal, timeout }: GetOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    };
    const giveUp = (reason: unknown): void => {
      end();
      flight.leave();
      reject(reason);
    };
    const aborted = (): void => giveUp(signal?.reason);
    const ms = timeout === undefined ? undefined : checkDuration('timeout', timeout);
    const late = (): void => giveUp(new DeadlineExceededError(`${flight.key}: not there within ${ms} ms`));
    const timer = ms === undefined ? undefined : setTimeout(late, Math.min(ms, 2 ** 31 - 1)).unref();
    signal?.addEventListener('abort', aborted, { once: true });
    flight.result.then(resolve, reject).finally(end);
  });
}

function orAborted<T>(signal: AbortSignal | undefined, what: string, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const aborted = (): void =>
      reject(new AmbiguousError(`${what}: the wait was aborted; it may have happened`, { cause: signal.reason }));
    signal.addEventListener('abort', aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}
