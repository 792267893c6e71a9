import { type Component, doubtful, type Health, InvalidArgumentError, isQuorateError } from '@quorate/core';
import { checkFenced, type GetOptions, type SetOptions } from './entry-options.ts';
import { CacheClosedError } from './errors/cache-closed-error.ts';
import type { Flight } from './flight.ts';
import { checkKey } from './key.ts';
import type { Load } from './load-context.ts';
import { type LoadMany, Together } from './load-many.ts';
import { Namespace } from './namespace.ts';
import { type CacheOptions, checkOptions } from './options.ts';
import { type PeekOptions, peek } from './peek.ts';
import { Reads } from './reads.ts';
import type { CacheStats } from './stats.ts';
import { Store } from './store.ts';
import { type WrapOptions, type Wrapped, type WrappedLoad, wrap } from './wrap.ts';
import { Writes } from './writes.ts';

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
  readonly #store: Store<Flight>;
  readonly #writes: Writes;
  readonly #reads: Reads;
  #stopped: Promise<void> | undefined;

  constructor(options: CacheOptions) {
    const settings = checkOptions(options);
    this.name = `cache ${settings.prefix}`;
    this.#store = new Store(settings);
    this.#writes = new Writes(this.#store);
    this.#reads = new Reads(this.#store, this.#writes);
    this.#store.open();
  }

  /** The value under this key: the one that is known, or what `load` gives. All who ask at once share one load. */
  get<T>(key: string, load: Load<T>, options?: GetOptions<T>): Promise<T> {
    return this.#store.origin.asked ? this.#ask(key, load, options) : this.#reads.get(key, load, options);
  }

  /**
   * All values under these keys, in their order. `load` is called once, with the keys that nobody has and nobody else loads;
   * again only for a key whose other load has failed, and to refresh.
   */
  async getMany<T>(keys: readonly string[], load: LoadMany<T>, options?: GetOptions<T>): Promise<Map<string, T>> {
    if (!Array.isArray(keys)) throw new InvalidArgumentError('keys', 'a list of keys', keys);
    for (const key of keys) checkKey(key, 'keys');
    const { origin } = this.#store;
    return origin.asked ? origin.ask(keys, () => this.#many(keys, load, options)) : this.#many(keys, load, options);
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
    if (typeof (entries as { [Symbol.iterator]?: unknown } | null)?.[Symbol.iterator] !== 'function') {
      throw new InvalidArgumentError('entries', 'a list of keys and values, or a Map', entries);
    }
    const all = [...entries];
    for (const entry of all) {
      if (!Array.isArray(entry)) throw new InvalidArgumentError('entries', 'pairs of a key and a value', entry);
      checkKey(entry[0], 'entries');
    }
    await allDone(all.map(([key, value]) => this.set(key, value, options)));
  }

  /** Forgets a key, or several, everywhere. Loads that began before it are not kept. */
  async delete(keys: string | readonly string[], options?: Pick<SetOptions, 'fence' | 'signal'>): Promise<void> {
    const all = typeof keys === 'string' ? [keys] : keys;
    if (!Array.isArray(all)) throw new InvalidArgumentError('keys', 'a key, or a list of keys', keys);
    for (const key of all) checkKey(key);
    if (options !== undefined) checkFenced(options);
    await allDone(all.map((key) => this.#writes.delete(key, options)));
  }

  /** Forgets all that has any of these tags, everywhere, in one write, whatever the number of keys. */
  async invalidate(options: { readonly tags: readonly string[]; readonly signal?: AbortSignal }): Promise<void> {
    await this.#writes.invalidate(options);
  }

  /**
   * Forgets all that is under the prefix, everywhere, in one write. Loads that began before it are not kept. Fencing tokens
   * and the versions of namespaces stay.
   */
  async clear(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#writes.clear(options);
  }

  /** Keys that belong to a version of something, which moves in one step: what was kept for the old one is then out of reach. */
  namespace(name: string): Namespace {
    checkKey(name, 'name');
    if (/[@:\s]/.test(name)) throw new InvalidArgumentError('name', 'a name without @, colons and spaces', name);
    return new Namespace(name, this.#store, this.#reads, this.#writes);
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
    if (this.#store.closed) return { status: 'fail', detail: 'closed' };
    const { link, origin, coherence } = this.#store;
    const broken = origin.broken;
    const redis = redisHealth(link.answering, coherence.subscribed);
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

  /** Ends what is under way, with a `cache-closed` error for those who wait, or `ambiguous` where a write was sent. The Redis client is yours and stays open. */
  stop(): Promise<void> {
    this.#stopped ??= this.#store.close(new CacheClosedError(this.#store.settings.prefix));
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #ask<T>(key: string, load: Load<T>, options: GetOptions<T> | undefined): Promise<T> {
    return this.#store.origin.ask([key], () => this.#reads.get(key, load, options));
  }

  async #many<T>(
    keys: readonly string[],
    load: LoadMany<T>,
    options: GetOptions<T> | undefined,
  ): Promise<Map<string, T>> {
    const { settings, origin } = this.#store;
    const many = new Together(load, settings.loadTimeout, (missing, allowance, work) =>
      origin.call(missing, options?.origin ?? '', allowance, work),
    );
    const unique = [...new Set(keys)];
    const parts = unique.map(() => many.part());
    const values = await Promise.all(
      parts.map(({ load: loadOne, aside }, index) => {
        const value = this.#reads.get(unique[index] as string, loadOne, options, { guarded: true, aside });
        value.then(aside, aside);
        return value;
      }),
    );
    const found = new Map<string, T>();
    for (const [index, key] of unique.entries()) if (values[index] !== undefined) found.set(key, values[index] as T);
    return found;
  }
}

function redisHealth([answering, of]: readonly [number, number], subscribed: boolean): Health {
  const warn = (detail: string): Health => ({ status: 'warn', detail });
  if (answering === 0) return warn('Redis does not answer: values come from this process and the origin');
  if (answering < of) {
    return warn(
      `${of - answering} of ${of} Redis nodes do not answer: values of theirs come from this process and the origin`,
    );
  }
  if (!subscribed) return warn('changes by other processes are not received: every call asks Redis');
  return { status: 'pass' };
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
