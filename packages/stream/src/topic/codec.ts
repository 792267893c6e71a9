import { randomUUID } from 'node:crypto';
import { InvalidArgumentError } from '@quorate/core';
import type { KafkaRecord } from '../driver/record.ts';
import { InvalidMessageError } from '../errors/invalid-message-error.ts';
import { messageOf, textOf } from '../errors/text-of.ts';
import type { Format } from './format.ts';
import { headerNames, headersByName, isToken, ours } from './headers.ts';
import type { NewMessage } from './message.ts';
import { type Schema, validated } from './schema.ts';
import type { Versions } from './versions.ts';

/** What a record says, and what it says of itself. */
export interface Decoded {
  readonly key: unknown;
  readonly value: unknown;
  readonly id: string | undefined;
  readonly fence: bigint | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Why a record cannot be given to a handler. */
export interface Poison {
  readonly poison: 'unreadable' | 'invalid-value' | 'invalid-key' | 'no-value' | 'content-type' | 'invalid-header';
  readonly detail: string;
}

const { contentType, id: idHeader, schema: schemaHeader, fence: fenceHeader } = headerNames;
const strict = new TextDecoder('utf-8', { fatal: true });

/** Between messages and records, for one topic. */
export class Codec {
  readonly #topic: string;
  readonly #key: Schema<string, unknown> | undefined;
  readonly #versions: Versions | undefined;
  readonly #format: Format;
  readonly #contentType: Buffer;
  readonly #version: Buffer;

  constructor(topic: string, key: Schema<string, unknown> | undefined, versions: Versions | undefined, format: Format) {
    this.#topic = topic;
    this.#key = key;
    this.#versions = versions;
    this.#format = format;
    this.#contentType = Buffer.from(format.contentType);
    this.#version = Buffer.from(String(versions?.latest ?? ''));
  }

  /** Checks the message as its readers will see it: what they would refuse is refused here. */
  encode(message: NewMessage): { readonly id: string; readonly record: KafkaRecord } {
    const { value, headers, fence, timestamp = Date.now() } = message;
    const key = this.#encodeKey(message.key);
    const id = message.id ?? randomUUID();
    if (typeof id !== 'string' || id === '' || id.length > 256 || !id.isWellFormed())
      throw new InvalidArgumentError('id', 'text of 1 to 256 characters', id);
    const list: [string, Buffer][] = [
      [contentType, this.#contentType],
      [idHeader, Buffer.from(id)],
    ];
    if (this.#versions) list.push([schemaHeader, this.#version]);
    if (fence !== undefined) list.push([fenceHeader, Buffer.from(checkFence(fence))]);
    if (headers !== undefined)
      for (const [name, text] of Object.entries(checkHeaders(headers))) list.push(checkHeader(name, text));
    if (!(Number.isSafeInteger(timestamp) && timestamp >= 0))
      throw new InvalidArgumentError('timestamp', 'milliseconds since 1970', timestamp);
    return { id, record: { key, value: this.#encodeValue(value), headers: list, timestamp } };
  }

  decode(record: KafkaRecord): Decoded | Poison {
    const headers = headersByName(record.headers);
    const { [idHeader]: id, [fenceHeader]: token, [schemaHeader]: version, [contentType]: type } = headers;
    if (record.value === null) return { poison: 'no-value', detail: 'the record has no value' };
    if (token !== undefined && !isToken(token))
      return { poison: 'invalid-header', detail: `${fenceHeader} is no token: ${token.slice(0, 60)}` };
    if (version !== undefined && !/^\d{1,9}$/.test(version))
      return { poison: 'invalid-header', detail: `${schemaHeader} is no version: ${version.slice(0, 60)}` };
    if (type !== undefined && type !== this.#format.contentType)
      return { poison: 'content-type', detail: `${this.#format.contentType} was expected, not ${type.slice(0, 100)}` };
    const key = this.#decodeKey(record.key);
    if ('poison' in key) return key;
    const value = this.#decodeValue(record.value, Number(version ?? 0));
    if ('poison' in value) return value;
    return {
      key: key.value,
      value: value.value,
      id,
      fence: token === undefined ? undefined : BigInt(token),
      headers,
    };
  }

  #encodeKey(key: unknown): Buffer | null {
    if (key === undefined) {
      if (this.#key) throw new InvalidArgumentError('key', 'a key: the topic has a schema for it', key);
      return null;
    }
    if (typeof key !== 'string' && typeof key !== 'bigint' && !Number.isFinite(key))
      throw new InvalidArgumentError('key', 'text, or a number', key);
    const text = String(key);
    // Half a character would become another one in UTF-8, and two keys the same.
    if (!text.isWellFormed()) throw new InvalidArgumentError('key', 'text without halves of characters', text);
    if (this.#key) {
      const { wrong } = validated(this.#key as Schema, text);
      if (wrong !== undefined) throw new InvalidMessageError(this.#topic, 'key', wrong);
    }
    return Buffer.from(text);
  }

  #encodeValue(value: unknown): Buffer {
    let encoded: Uint8Array;
    let seen: unknown;
    try {
      encoded = this.#format.encode(value);
      if (this.#versions) seen = this.#format.decode(encoded);
    } catch (error) {
      throw new InvalidMessageError(this.#topic, 'value', messageOf(error));
    }
    if (this.#versions) {
      const { wrong } = this.#versions.read(seen, this.#versions.latest);
      if (wrong !== undefined) throw new InvalidMessageError(this.#topic, 'value', wrong);
    }
    return Buffer.isBuffer(encoded) ? encoded : Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  }

  #decodeKey(key: Buffer | null): { readonly value: unknown } | Poison {
    if (key === null) return this.#key ? { poison: 'invalid-key', detail: 'the record has no key' } : { value: null };
    let text: string;
    try {
      text = strict.decode(key);
    } catch {
      return { poison: 'invalid-key', detail: 'the key is not UTF-8' };
    }
    if (!this.#key) return { value: text };
    const schema = this.#key as Schema;
    return checked('invalid-key', () => validated(schema, text));
  }

  #decodeValue(bytes: Buffer, version: number): { readonly value: unknown } | Poison {
    let value: unknown;
    try {
      value = this.#format.decode(bytes);
    } catch (error) {
      return { poison: 'unreadable', detail: `${this.#format.contentType}: ${textOf(error).slice(0, 200)}` };
    }
    const known = this.#versions;
    if (!known) return { value };
    return checked('invalid-value', () => known.read(value, version));
  }
}

/** A schema that cannot be asked, because it waits for example, stops nobody who reads: it counts as one that refuses. */
function checked(
  poison: Poison['poison'],
  check: () => ReturnType<typeof validated>,
): { readonly value: unknown } | Poison {
  try {
    const result = check();
    return result.wrong === undefined ? result : { poison, detail: result.wrong };
  } catch (error) {
    return { poison, detail: messageOf(error) };
  }
}

function checkFence(fence: unknown): string {
  if (typeof fence === 'bigint' && fence >= 0n && fence < 2n ** 127n) return fence.toString();
  throw new InvalidArgumentError('fence', 'a bigint of at least 0, such as the token of a lease', fence);
}

/** A Map, for example, would be taken for none at all. */
function checkHeaders(headers: unknown): Readonly<Record<string, unknown>> {
  const prototype = typeof headers === 'object' && headers !== null ? Object.getPrototypeOf(headers) : undefined;
  if (prototype === null || prototype === Object.prototype) return headers as Record<string, unknown>;
  throw new InvalidArgumentError('headers', 'an object of texts by name', headers);
}

function checkHeader(name: string, text: unknown): [string, Buffer] {
  if (name.startsWith(ours) || name === contentType)
    throw new InvalidArgumentError('headers', `names that do not begin with "${ours}", and not "${contentType}"`, name);
  if (name === '' || typeof text !== 'string' || !name.isWellFormed() || !text.isWellFormed())
    throw new InvalidArgumentError('headers', 'names and texts', `${name}: ${typeof text}`);
  return [name, Buffer.from(text)];
}
