import type { Watch } from '../discovery/watch.ts';
import type { Session } from './session.ts';

export interface KvEntry {
  readonly key: string;
  readonly value: Buffer;
  /** Changes with each write: what a compare-and-set compares. */
  readonly index: bigint;
  /** The session that holds it. */
  readonly session: string | undefined;
}

export interface KvOptions {
  readonly signal?: AbortSignal;
}

export interface KvWriteOptions extends KvOptions {
  /** Only if the entry is still the one with this index; 0n: only if there is none. */
  readonly ifIndex?: bigint;
}

export interface KvSetOptions extends KvWriteOptions {
  /** Take the key for this session. */
  readonly acquire?: Session;
  /** Give the key back. */
  readonly release?: Session;
}

/** What a cell needs of the store. */
export interface KvStore {
  get(key: string, options?: KvOptions): Promise<KvEntry | undefined>;
  set(key: string, value: string, options?: KvWriteOptions): Promise<void>;
  watchAs<T>(key: string, read: (entry: KvEntry | undefined) => T, options?: KvOptions): Watch<T>;
}
