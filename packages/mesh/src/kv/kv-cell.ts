import { InvalidArgumentError, isQuorateError } from '@quorate/core';
import type { Watch } from '../discovery/watch.ts';
import { InvalidValueError } from '../errors/invalid-value-error.ts';
import type { KvEntry, KvOptions, KvStore, KvWriteOptions } from './kv-entry.ts';
import { type Schema, validated } from './schema.ts';

/** A value and what a compare-and-set of it compares. */
export interface CellValue<T> {
  readonly value: T;
  readonly index: bigint;
}

/** One typed value under one key, as JSON, checked on the way in and on the way out. */
export class KvCell<T> {
  readonly key: string;
  readonly #kv: KvStore;
  readonly #schema: Schema<T> | undefined;

  constructor(kv: KvStore, key: string, schema: Schema<T> | undefined) {
    this.key = key;
    this.#kv = kv;
    this.#schema = schema;
  }

  async get(options: KvOptions = {}): Promise<CellValue<T> | undefined> {
    return this.#parse(await this.#kv.get(this.key, options));
  }

  async set(value: T, options: KvWriteOptions = {}): Promise<void> {
    await this.#kv.set(this.key, JSON.stringify(this.#check(value)), options);
  }

  /** Reads, changes and writes, again and again until nobody came in between. `change` must not have effects, and returns the value at once. */
  async update(change: (value: T | undefined) => T, options: KvOptions = {}): Promise<T> {
    for (;;) {
      options.signal?.throwIfAborted();
      const before = await this.get(options);
      const value = change(before?.value);
      try {
        await this.set(value, { ...options, ifIndex: before?.index ?? 0n });
        return value;
      } catch (error) {
        if (!isQuorateError(error, 'conflict')) throw error;
      }
    }
  }

  /**
   * The value each time it changes. One that is not valid is told as the watch's `failure`, and the last good one kept; where there
   * was none yet, it ends the watch with `invalid-value`.
   */
  watch(options: KvOptions = {}): Watch<CellValue<T> | undefined> {
    return this.#kv.watchAs(this.key, (entry) => this.#parse(entry), options);
  }

  #parse(entry: KvEntry | undefined): CellValue<T> | undefined {
    if (!entry) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(entry.value.toString());
    } catch {
      // The cause would quote it.
      throw new InvalidValueError(this.key, 'the stored value is not JSON');
    }
    const { index } = entry;
    if (!this.#schema) return { value: value as T, index };
    const result = validated(this.#schema, value);
    if ('wrong' in result) throw new InvalidValueError(this.key, `the stored value is not valid: ${result.wrong}`);
    return { value: result.value, index };
  }

  #check(value: T): T {
    // As JSON it would be `{}`.
    if (typeof (value as { then?: unknown } | null | undefined)?.then === 'function') {
      throw new InvalidArgumentError(this.key, 'a value and not a promise: await it before');
    }
    if (!this.#schema) return value;
    const result = validated(this.#schema, value);
    if ('wrong' in result) throw new InvalidArgumentError(this.key, `a valid value (${result.wrong})`);
    return result.value;
  }
}
