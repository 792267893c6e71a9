import { checkNames, type Duration } from '@quorate/core';
import { checkGet, type Keeping } from './entry-options.ts';
import { CacheClosedError } from './errors/cache-closed-error.ts';
import { open } from './found.ts';
import { checkKey } from './key.ts';
import { silence } from './redis/link.ts';
import type { Schema } from './standard-schema.ts';
import type { Store } from './store.ts';
import { orAborted, Wait } from './waited.ts';

export interface PeekOptions<T = unknown> {
  readonly signal?: AbortSignal;
  readonly timeout?: Duration;
  /** A value from Redis that does not pass is not known. */
  readonly schema?: Schema<T>;
}

const names = ['signal', 'timeout', 'schema'];

/** What is known under a key; its value is undefined when that is known to be absent. */
export type Known = { readonly value: unknown } | undefined;

export function checkPeek(store: Store, key: string, options: PeekOptions): Keeping {
  checkKey(key);
  checkNames('options', options, names);
  const keeping = checkGet(options, store.settings);
  options.signal?.throwIfAborted();
  if (store.closed) throw new CacheClosedError(store.settings.prefix);
  return keeping;
}

/** What this process or Redis has under a key, of a namespace at `version`, fresh or stale. */
export async function peek(
  store: Store,
  key: string,
  options: PeekOptions = {},
  version: string | undefined = undefined,
): Promise<Known> {
  const keeping = checkPeek(store, key, options);
  const entry = store.local?.get(key);
  const now = performance.now();
  const alive = entry !== undefined && entry.version === version && now < Math.max(entry.freshUntil, entry.staleUntil);
  if (alive && store.coherence.vouches(entry, now)) return { value: store.parcel.reveal(entry.value) };
  using wait = new Wait(key, options);
  return await orAborted(wait.signal, store.life.bound(inRedis));

  async function inRedis(): Promise<Known> {
    if (!store.link.open && !(await store.link.meet())) return undefined;
    const bytes = await store.link.read(store.names.entry(key, version));
    if (bytes === silence || bytes === null) return undefined;
    const found = await open(store, keeping, bytes);
    // Not kept in this process: a change may have overtaken it.
    return found !== silence && 'value' in found ? { value: store.parcel.reveal(found.value) } : undefined;
  }
}
