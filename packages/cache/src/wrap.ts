import { checkNames, InvalidArgumentError } from '@quorate/core';
import type { GetOptions } from './entry-options.ts';
import { checkKey } from './key.ts';
import type { Load, LoadContext } from './load-context.ts';
import { wrapKey } from './wrap-key.ts';

export interface WrapOptions<Args extends readonly unknown[], T> extends Omit<GetOptions<T>, 'tags' | 'signal'> {
  /** In front of every key, and a colon: it has none itself. Two functions with one name share their values. */
  readonly name: string;
  /**
   * What tells one call from another. By default the arguments, as long as they are plain data: what JSON can say, undefined,
   * bigint, `Date`, `Map`, `Set`, `URL`, bytes.
   */
  readonly key?: (...args: Args) => string;
  readonly tags?: readonly string[] | ((...args: Args) => readonly string[]);
}

export interface Wrapped<Args extends readonly unknown[], T> {
  (...args: Args): Promise<T>;
  /** The key that a call with these arguments has. */
  key(...args: Args): string;
  /** Forgets what a call with these arguments gave. */
  delete(...args: Args): Promise<void>;
  /** The same function for a caller who may give up. */
  with(options: Pick<GetOptions<T>, 'signal' | 'timeout'>): (...args: Args) => Promise<T>;
}

/** What is remembered in: a cache. */
interface Memory {
  get<T>(key: string, load: Load<T>, options?: GetOptions<T>): Promise<T>;
  delete(key: string): Promise<void>;
}

export type WrappedLoad<Args extends readonly unknown[], T> = (context: LoadContext, ...args: Args) => T | Promise<T>;

const names = ['name', 'key', 'tags', 'ttl', 'stale', 'negative', 'timeout', 'schema', 'origin', 'fence'];

export function wrap<Args extends readonly unknown[], T>(
  cache: Memory,
  load: WrappedLoad<Args, T>,
  options: WrapOptions<Args, T>,
): Wrapped<Args, T> {
  if (typeof load !== 'function') throw new InvalidArgumentError('load', 'a function', load);
  checkNames('options', options, names);
  const { name, key: keyOf = (...args: Args): string => wrapKey(args), tags, ...rest } = options;
  checkKey(name, 'name');
  // Or `zone` with the key `x:1` would share its values with `zone:x` and the key `1`.
  if (name.includes(':')) throw new InvalidArgumentError('name', 'a name without colons', name);
  const key = (...args: Args): string => {
    const own: unknown = keyOf(...args);
    if (typeof own !== 'string') throw new InvalidArgumentError('key', 'a function that returns a string', own);
    const full = `${name}:${own}`;
    checkKey(full, 'key');
    return full;
  };
  const call = (args: Args, waiting: Pick<GetOptions<T>, 'signal' | 'timeout'>): Promise<T> => {
    const given = typeof tags === 'function' ? tags(...args) : tags;
    const get: GetOptions<T> = { ...rest, ...(given && { tags: given }), ...waiting };
    return cache.get(key(...args), (context) => load(context, ...args), get);
  };
  const wrapped = async (...args: Args): Promise<T> => call(args, {});
  return Object.assign(wrapped, {
    key,
    delete: async (...args: Args): Promise<void> => cache.delete(key(...args)),
    with:
      (waiting: Pick<GetOptions<T>, 'signal' | 'timeout'>) =>
      async (...args: Args): Promise<T> =>
        call(args, waiting),
  });
}
