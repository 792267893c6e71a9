import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { checkNames, InvalidArgumentError, QuorateError } from '@quorate/core';
import type { Payload, PayloadCodec } from '@temporalio/common';
// Not by name: what it exports is made while it is loaded.
import proto from '@temporalio/proto';

export interface EncryptionOptions {
  /** Keys of 32 bytes, by names that are written beside each value. Old ones stay here for as long as there are values of them. */
  readonly keys: Readonly<Record<string, Uint8Array>>;
  /** The name of the key for what is written from now on. */
  readonly current: string;
}

const encoding = 'binary/encrypted';
const cipherName = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts what goes to the server: arguments, results, heartbeats, memos, and what errors say. It sees ids, types, times, search attributes, codes of errors, reasons of `terminate`, and headers: step keys, fencing tokens, and traces with their baggage.
 *
 *     const codecs = [encryption({ keys: { '2026-11': key }, current: '2026-11' })];
 *     const workflows = await Workflows.connect({ address, taskQueue, codecs });
 */
export function encryption(options: EncryptionOptions): PayloadCodec {
  const { keys, current } = checkOptions(options);
  return {
    encode: async (payloads) => payloads.map((payload) => encrypt(payload, current, keys.get(current) as Uint8Array)),
    decode: async (payloads) => payloads.map((payload) => decrypt(payload, keys)),
  };
}

function encrypt(payload: Payload, name: string, key: Uint8Array): Payload {
  const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish();
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(cipherName, key, nonce);
  // A value can not be made one of another key.
  cipher.setAAD(Buffer.from(name));
  const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return {
    metadata: {
      encoding: Buffer.from(encoding),
      'encryption-cipher': Buffer.from(cipherName),
      'encryption-key-id': Buffer.from(name),
    },
    data,
  };
}

function decrypt(payload: Payload, keys: ReadonlyMap<string, Uint8Array>): Payload {
  const { metadata, data } = payload;
  // Written before there was encryption.
  if (metadata === undefined || metadata === null || textOf(metadata.encoding) !== encoding) return payload;
  const name = textOf(metadata['encryption-key-id']);
  const key = keys.get(name);
  if (key === undefined)
    throw unreadable(`it is encrypted with the key "${name.slice(0, 100)}", which is not among the keys`);
  const bytes = Buffer.from(data ?? []);
  if (bytes.length < nonceBytes + tagBytes) throw unreadable('it is too short');
  const decipher = createDecipheriv(cipherName, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(name));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    return proto.temporal.api.common.v1.Payload.decode(plain);
  } catch (error) {
    throw unreadable('it was changed, or the key is another one', error);
  }
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}

function unreadable(why: string, cause?: unknown): QuorateError {
  return new QuorateError(`a value can not be read: ${why}`, { code: 'unreadable-payload', cause });
}

function checkOptions(options: EncryptionOptions): {
  readonly keys: ReadonlyMap<string, Uint8Array>;
  readonly current: string;
} {
  checkNames('options', options, ['keys', 'current']);
  const { keys, current } = options;
  if (typeof keys !== 'object' || keys === null) throw new InvalidArgumentError('keys', 'keys by their names');
  // Keys are not shown.
  for (const [name, key] of Object.entries(keys))
    if (!(key instanceof Uint8Array) || key.length !== 32)
      throw new InvalidArgumentError(`keys.${name}`, 'a key of 32 bytes');
  if (typeof current !== 'string' || !Object.hasOwn(keys, current))
    throw new InvalidArgumentError('current', 'the name of one of the keys', current);
  // Copies: what becomes of the caller's bytes later does not matter.
  return { keys: new Map(Object.entries(keys).map(([name, key]) => [name, Uint8Array.from(key)])), current };
}
