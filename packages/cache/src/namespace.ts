import { AmbiguousError, doubtful, InvalidArgumentError } from '@quorate/core';
import { checkFenced, checkGet, checkWaiting, type GetOptions, type SetOptions } from './entry-options.ts';
import { FencedError } from './errors/fenced-error.ts';
import { RedisUnavailableError } from './errors/redis-unavailable-error.ts';
import { checkFence, checkKey } from './key.ts';
import type { Load } from './load-context.ts';
import { checkPeek, type Known, type PeekOptions, peek } from './peek.ts';
import type { Reads } from './reads.ts';
import { versioned } from './redis/key-names.ts';
import { doneLife, fenceLife, type Store } from './store.ts';
import { orAborted, Wait } from './waited.ts';
import type { Writes } from './writes.ts';

/**
 * Keys that belong to a version of something: a dataset, a release, a set of rules. When it moves, every process is at the
 * new version in one step, and no value of the old one is found any more.
 *
 *     const rides = cache.namespace('rides');
 *     await rides.get('busiest', ({ version, signal }) => query(version, { signal }));
 *     await rides.moveTo('2015-03-b', { fence: lease.token });
 */
export class Namespace {
  readonly name: string;
  readonly #store: Store;
  readonly #reads: Reads;
  readonly #writes: Writes;

  constructor(name: string, store: Store, reads: Reads, writes: Writes) {
    this.name = name;
    this.#store = store;
    this.#reads = reads;
    this.#writes = writes;
  }

  /** The version it is at; '0' before anybody has moved it. */
  async version(): Promise<string> {
    const { life, link, coherence } = this.#store;
    return await life.bound(async () => {
      await link.meet();
      return await coherence.versions.current(this.name);
    });
  }

  /** Moves it for everybody. Under `fence`, the token of a lease, an older leader is refused with a `FencedError`. */
  async moveTo(version: string, options: Pick<SetOptions, 'fence' | 'signal'> = {}): Promise<void> {
    checkVersion(version);
    checkFenced(options);
    const { fence, signal } = options;
    const { coherence, names, settings } = this.#store;
    const life = { fence: fenceLife, done: doneLife(settings.redisTimeout) };
    const outcome = await this.#writes.attempt(`moving ${this.name}`, names.version(this.name), signal, () =>
      coherence.versions.move(this.name, version, fence, life),
    );
    if (outcome === 'fenced') throw new FencedError(this.name, fence ?? 0n);
  }

  /** As `cache.get`, at the version of this moment; the loader is told which. With `fence`: at the one that stands in Redis. */
  get<T>(key: string, load: Load<T>, options?: GetOptions<T>): Promise<T> {
    return this.#store.origin.asked ? this.#ask(key, load, options) : this.#get(key, load, options);
  }

  /** As `cache.peek`, at the version of this moment. */
  async peek<T = unknown>(key: string, options?: PeekOptions<T>): Promise<T | undefined> {
    return (await this.#known(key, options))?.value as T | undefined;
  }

  /** As `cache.has`, at the version of this moment. */
  async has(key: string, options?: PeekOptions): Promise<boolean | undefined> {
    const known = await this.#known(key, options);
    return known && known.value !== undefined;
  }

  async set(key: string, value: unknown, options?: SetOptions): Promise<void> {
    await this.#write('setting', key, options, (full, version) => this.#writes.set(full, value, options, version));
  }

  async delete(key: string, options?: Pick<SetOptions, 'fence' | 'signal'>): Promise<void> {
    if (options !== undefined) checkFenced(options);
    await this.#write('deleting', key, options, (full, version) => this.#writes.delete(full, options, version));
  }

  async #get<T>(key: string, load: Load<T>, options: GetOptions<T> | undefined): Promise<T> {
    checkKey(key);
    if (options?.fence !== undefined) {
      // The bar of a key holds at every version. The version is asked for once it is raised: what an older leader has
      // written by then is at this version, or at one that it moved away from.
      return this.#reads.forUpdate(versioned(this.name, '', key), load, options, async (signal) => {
        const what = `reading ${this.name}: ${key}`;
        const version = await this.#standing(what, signal).catch(this.#unsure(what));
        const full = versioned(this.name, version, key);
        this.#store.supersede(full);
        return { key: full, version };
      });
    }
    const known = this.#store.coherence.versions.known(this.name);
    if (known !== undefined) {
      return this.#reads.get(versioned(this.name, known, key), load, options, { version: known });
    }
    checkGet(options, this.#store.settings);
    using wait = new Wait(`${this.name}: ${key}`, options ?? {});
    const version = await orAborted(wait.signal, this.version());
    return await this.#reads.get(versioned(this.name, version, key), load, wait.instead(options), { version });
  }

  async #ask<T>(key: string, load: Load<T>, options: GetOptions<T> | undefined): Promise<T> {
    checkKey(key);
    checkGet(options, this.#store.settings);
    const version = await orAborted(options?.signal, this.#version());
    return this.#store.origin.ask([versioned(this.name, version, key)], () => this.#get(key, load, options));
  }

  async #known(key: string, options: PeekOptions = {}): Promise<Known> {
    checkPeek(this.#store, key, options);
    using wait = new Wait(`${this.name}: ${key}`, options);
    const version = await orAborted(wait.signal, this.#version());
    return await peek(this.#store, versioned(this.name, version, key), wait.instead(options), version);
  }

  /** Under a token: at the version that stands in Redis, and still does when it is done. */
  async #write(
    doing: string,
    key: string,
    options: Pick<SetOptions, 'fence' | 'signal'> | undefined,
    write: (full: string, version: string) => Promise<void>,
  ): Promise<void> {
    checkKey(key);
    checkWaiting(options ?? {});
    if (options?.fence === undefined) {
      const version = await orAborted(options?.signal, this.#version());
      await write(versioned(this.name, version, key), version);
      return;
    }
    checkFence(options.fence);
    const what = `${doing} ${this.name}: ${key}`;
    const version = await this.#standing(what, options.signal);
    await write(versioned(this.name, version, key), version);
    const now = await this.#standing(what, options.signal).catch(this.#unsure(what));
    if (now === version) return;
    throw new AmbiguousError(
      `${what}: ${this.name} moved from ${version} to ${now} meanwhile; it may be out of reach, read it again`,
    );
  }

  async #version(): Promise<string> {
    return this.#store.coherence.versions.known(this.name) ?? (await this.version());
  }

  /** What went before was done. */
  #unsure(what: string): (error: unknown) => never {
    return (error) => {
      if (!(error instanceof RedisUnavailableError)) throw doubtful(error);
      const told = `Redis stopped answering before it gave the version of ${this.name}`;
      throw new AmbiguousError(`${what}: ${told}; it may have happened, read it again`, { cause: error });
    };
  }

  async #standing(what: string, signal: AbortSignal | undefined): Promise<string> {
    const { coherence, names } = this.#store;
    return await this.#writes.ask(`${what}: asking for its version`, names.version(this.name), signal, () =>
      coherence.versions.standing(this.name),
    );
  }
}

function checkVersion(version: unknown): asserts version is string {
  if (typeof version === 'string' && /^[^:\s]{1,128}$/.test(version) && version.isWellFormed()) return;
  throw new InvalidArgumentError(
    'version',
    'a string of 1 to 128 characters without colons and spaces, each surrogate in its pair',
    version,
  );
}
