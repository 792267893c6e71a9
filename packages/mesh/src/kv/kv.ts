import { checkNames, InvalidArgumentError, isQuorateError } from '@quorate/core';
import type { Agent, Answer } from '../agent/agent.ts';
import { fields, list, number, text, truth } from '../agent/shape.ts';
import { checkKey, checkPrefix } from '../arguments.ts';
import type { Turn } from '../discovery/blocking-query.ts';
import { Following, type Watch } from '../discovery/watch.ts';
import { ConflictError } from '../errors/conflict-error.ts';
import { KvCell } from './kv-cell.ts';
import type { KvEntry, KvOptions, KvSetOptions, KvWriteOptions } from './kv-entry.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';

/** An entry as the agent sends it. */
interface RawEntry {
  readonly Key: string;
  readonly Value: Buffer | null;
  readonly ModifyIndex: number;
  readonly Session?: string;
}

const entries = list(
  fields({ Key: text, Value: (value) => value === null || typeof value === 'string', ModifyIndex: number }),
);

/** The largest value that Consul takes. */
const maxValue = 512 * 1024;

/** Consul's key-value store. A write whose answer is lost is `ambiguous`: it may have happened. */
export class Kv {
  readonly #agent: Agent;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  async get(key: string, { signal }: KvOptions = {}): Promise<KvEntry | undefined> {
    checkKey('key', key);
    return entry((await this.#read(key, { signal })).body);
  }

  /** Throws `conflict` when a condition is not met. */
  async set(key: string, value: string | Uint8Array, options: KvSetOptions = {}): Promise<void> {
    checkKey('key', key);
    if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
      throw new InvalidArgumentError('value', 'a string or bytes', value);
    }
    checkNames('options', options, ['ifIndex', 'acquire', 'release', 'signal']);
    checkIndex(options.ifIndex);
    for (const name of ['acquire', 'release'] as const) {
      const session: Partial<Session> | null | undefined = options[name];
      if (session !== undefined && typeof session?.id !== 'string') {
        throw new InvalidArgumentError(name, 'a session', session);
      }
    }
    const bytes = Buffer.from(value as Uint8Array);
    if (bytes.length > maxValue) throw new InvalidArgumentError('value', `at most ${maxValue} bytes`);
    const { ifIndex, acquire, release, signal } = options;
    const { body } = await this.#agent.ask<boolean>(
      { operation: `set ${key}`, path: '/kv', repeatable: false, shape: truth, signal },
      (client, call) =>
        client.kv.set({
          key,
          value: bytes,
          ...(ifIndex !== undefined && { cas: String(ifIndex) }),
          ...(acquire && { acquire: acquire.id }),
          ...(release && { release: release.id }),
          ...call,
        }),
    );
    if (!body) throw new ConflictError(`set ${key}`, key);
  }

  /** Deleting what is not there is no error. Throws `conflict` when a condition is not met. */
  async delete(key: string, options: KvWriteOptions & { readonly recursive?: boolean } = {}): Promise<void> {
    checkKey('key', key);
    checkNames('options', options, ['ifIndex', 'recursive', 'signal']);
    const { ifIndex, recursive = false, signal } = options;
    checkIndex(ifIndex);
    if (typeof recursive !== 'boolean') throw new InvalidArgumentError('recursive', 'true or false', recursive);
    const { body } = await this.#agent.ask<boolean>(
      { operation: `delete ${key}`, path: '/kv', repeatable: false, shape: truth, signal },
      (client, call) =>
        client.kv.del({
          key,
          ...(recursive && { recurse: true }),
          ...(ifIndex !== undefined && { cas: String(ifIndex) }),
          ...call,
        }),
    );
    if (!body) throw new ConflictError(`delete ${key}`, key);
  }

  /** All that begin so; with '', all there are. */
  async keys(prefix: string, { signal }: KvOptions = {}): Promise<readonly string[]> {
    checkPrefix('prefix', prefix);
    const ask = { operation: `list ${prefix}`, path: '/kv', whole: true, shape: list(text), signal };
    try {
      const { body } = await this.#agent.ask<string[]>(ask, (client, call) => client.kv.keys({ key: prefix, ...call }));
      return body;
    } catch (error) {
      // Consul has no empty lists.
      if (isQuorateError(error, 'not-found')) return [];
      throw error;
    }
  }

  /** The entry each time it changes; undefined while there is none. */
  watch(key: string, options: KvOptions = {}): Watch<KvEntry | undefined> {
    return this.watchAs(key, (found) => found, options);
  }

  /** The same, each entry read as something else. */
  watchAs<T>(key: string, read: (entry: KvEntry | undefined) => T, { signal }: KvOptions = {}): Watch<T> {
    checkKey('key', key);
    return new Following({
      watched: `key ${key}`,
      ask: (turn) => this.#read(key, turn),
      read: (raw) => read(entry(raw)),
      signal,
    });
  }

  /** A value of a known type, as JSON under one key. */
  cell<T = unknown>(key: string, schema?: Schema<T>): KvCell<T> {
    checkKey('key', key);
    return new KvCell<T>(this, key, schema);
  }

  #read(
    key: string,
    { index, wait, ...rest }: Partial<Omit<Turn, 'signal'>> & { readonly signal?: AbortSignal | undefined },
  ): Promise<Answer<RawEntry | undefined>> {
    return this.#agent.ask({ operation: `get ${key}`, path: '/kv', shape: entries, ...rest }, (client, call) =>
      client.kv.get({ key, buffer: true, ...(index !== undefined && { index, wait }), ...call }),
    );
  }
}

function checkIndex(ifIndex: unknown): void {
  if (ifIndex === undefined || (typeof ifIndex === 'bigint' && BigInt.asUintN(64, ifIndex) === ifIndex)) return;
  throw new InvalidArgumentError('ifIndex', 'the index of an entry as a bigint, or 0n', ifIndex);
}

function entry(raw: RawEntry | undefined): KvEntry | undefined {
  if (!raw) return undefined;
  return { key: raw.Key, value: raw.Value ?? Buffer.alloc(0), index: BigInt(raw.ModifyIndex), session: raw.Session };
}
