import { InvalidArgumentError } from '@quorate/core';
import type { Cache } from './cache.ts';
import type { GetOptions, SetOptions } from './entry-options.ts';
import { FencedError } from './errors/fenced-error.ts';
import { checkFence, checkKey } from './key.ts';
import type { Load } from './load-context.ts';
import { fenceLife, type Store } from './store.ts';
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
  readonly #cache: Cache;
  readonly #store: Store;
  readonly #writes: Writes;

  constructor(cache: Cache, store: Store, name: string, writes: Writes) {
    this.name = name;
    this.#cache = cache;
    this.#store = store;
    this.#writes = writes;
  }

  /** The version it is at; '0' before anybody has moved it. */
  async version(): Promise<string> {
    await this.#store.link.meet();
    return this.#store.versions.current(this.name);
  }

  /** Moves it for everybody. Under `fence`, the token of a lease, an older leader is refused with a `FencedError`. */
  async moveTo(version: string, { fence, signal }: Pick<SetOptions, 'fence' | 'signal'> = {}): Promise<void> {
    checkVersion(version);
    if (fence !== undefined) checkFence(fence);
    const { versions } = this.#store;
    const outcome = await this.#writes.attempt(`moving ${this.name}`, signal, () =>
      versions.move(this.name, version, fence, fenceLife),
    );
    if (outcome === 'fenced') throw new FencedError(this.name, fence ?? 0n);
  }

  /** As `cache.get`, at the version of this moment; the loader is told which. */
  async get<T>(key: string, load: Load<T>, options?: GetOptions<T>): Promise<T> {
    const { full, version } = await this.#at(key);
    return this.#cache.special(full, load, options, { version });
  }

  async set(key: string, value: unknown, options?: SetOptions): Promise<void> {
    const { full } = await this.#at(key);
    await this.#cache.set(full, value, options);
  }

  async delete(key: string, options?: Pick<SetOptions, 'fence' | 'signal'>): Promise<void> {
    const { full } = await this.#at(key);
    await this.#cache.delete(full, options);
  }

  async #at(key: string): Promise<{ readonly full: string; readonly version: string }> {
    checkKey(key);
    const version = this.#store.versions.known(this.name) ?? (await this.version());
    return { full: `${this.name}@${version}:${key}`, version };
  }
}

function checkVersion(version: unknown): asserts version is string {
  if (typeof version === 'string' && /^[^:\s]{1,128}$/.test(version)) return;
  throw new InvalidArgumentError('version', 'a string of 1 to 128 characters without colons and spaces', version);
}
