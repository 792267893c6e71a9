import { serialize } from 'node:v8';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { checkGet } from './entry-options.ts';
import { messagePack } from './message-pack.ts';
import { type CacheOptions, checkOptions } from './options.ts';
import { Parcel } from './parcel.ts';
import { seal, unseal } from './redis/envelope.ts';
import { json } from './serializers/json.ts';
import { structuredClone } from './serializers/structured-clone.ts';
import type { Schema } from './standard-schema.ts';

const redis = new Redis({ lazyConnect: true, host: '127.0.0.1', port: 1 });
afterAll(() => redis.disconnect());

function parcelOf(options: Partial<CacheOptions>): {
  readonly parcel: Parcel;
  open(plain: string | Uint8Array): Promise<unknown>;
} {
  const settings = checkOptions({ redis, prefix: 'taxi', ...options });
  const parcel = new Parcel(settings);
  const header = {
    absent: false,
    compressed: false,
    freshUntil: 0,
    staleUntil: 0,
    loadMs: 0,
    clock: 0,
    token: 0,
    tags: [],
  };
  return {
    parcel,
    open: async (plain) => {
      const sealed = seal({ ...header, serializer: settings.serializer.name }, plain);
      // As it comes from a socket, with much else.
      const chunk = Buffer.alloc(65_536);
      sealed.copy(chunk, 1);
      const envelope = unseal(chunk.subarray(1, 1 + sealed.length));
      if (envelope === undefined) throw new Error('not readable');
      return (await parcel.open(envelope, checkGet(undefined, settings)))?.value;
    },
  };
}

describe('what is kept holds on to no more memory than it says', () => {
  test.each([
    ['structured-clone', structuredClone],
    ['message-pack', messagePack],
  ] as const)('%s, as copies: bytes of their own', async (_, serializer) => {
    const { parcel, open } = parcelOf({ serializer, local: { values: 'copied' } });
    const written = parcel.write('key', { id: 7 });
    const loaded = parcel.own(written);
    for (const kept of [loaded.value, await open(written.plain)]) {
      expect(kept).toBeInstanceOf(Buffer);
      expect((kept as Buffer).buffer.byteLength).toBe(written.bytes);
    }
    expect(loaded.bytes).toBe(written.bytes);
  });

  test.each([
    ['structured-clone', structuredClone],
    ['message-pack', messagePack],
  ] as const)('%s: bytes within a value are their own', async (_, serializer) => {
    const value = { bytes: new Uint8Array(24).fill(7), when: new Date(0) };
    for (const values of ['frozen', 'copied'] as const) {
      const { parcel, open } = parcelOf({ serializer, local: { values } });
      const written = parcel.write('key', value);
      for (const kept of [parcel.own(written).value, await open(written.plain)]) {
        const { bytes, when } = parcel.reveal(kept) as typeof value;
        expect([...bytes]).toEqual([...value.bytes]);
        expect(when).toEqual(value.when);
        expect(bytes.buffer.byteLength).toBeLessThanOrEqual(written.bytes);
      }
    }
  });

  test('every kind of bytes stays what it is', () => {
    const bytes = {
      buffer: Buffer.from('abc'),
      words: new Uint16Array([1, 2, 65_535]),
      numbers: new Float64Array([0.5, -1]),
      view: new DataView(new Uint8Array([1, 2, 3]).buffer),
      raw: new Uint8Array([9, 8]).buffer,
    };
    const chunk = Buffer.alloc(4_096);
    for (let start = 0; start < 8; start += 1) {
      const written = serialize(bytes);
      written.copy(chunk, start);
      const read = structuredClone.decode(chunk.subarray(start, start + written.length)) as typeof bytes;
      chunk.fill(0xee);
      expect(read).toEqual(bytes);
      expect(Buffer.isBuffer(read.buffer)).toBe(true);
      expect(read.view.getUint8(2)).toBe(3);
    }
  });
});

test('a serializer may use the same memory for each value', async () => {
  const memory = Buffer.alloc(1_024);
  const serializer = {
    name: 'pooled',
    encode: (value: unknown): Uint8Array => memory.subarray(0, memory.write(JSON.stringify(value))),
    decode: (bytes: Buffer): unknown => JSON.parse(bytes.toString()),
  };
  const { parcel, open } = parcelOf({ serializer });
  const all = ['one', 'two'].map((value) => parcel.write('key', value));
  expect(await Promise.all(all.map(({ plain }) => open(plain)))).toEqual(['one', 'two']);
});

test('half a surrogate pair in text comes to the first caller as it comes to all others', async () => {
  const serializer = { name: 'raw', encode: String, parse: (text: string): unknown => text };
  for (const values of ['frozen', 'copied'] as const) {
    const { parcel, open } = parcelOf({ serializer, local: { values } });
    const written = parcel.write('key', 'x\ud800');
    for (const kept of [parcel.own(written).value, await open(written.plain)])
      expect(parcel.reveal(kept)).toBe('x\ufffd');
  }
});

describe('what a schema makes of a value', () => {
  const schemaOf = (of: (loaded: { when: string; cents: string }) => unknown): Schema => ({
    '~standard': { version: 1, validate: (value) => ({ value: of(value as { when: string; cents: string }) }) },
  });
  const loaded = { when: '1970-01-01T00:00:00.005Z', cents: '100' };

  test.each([
    ['that JSON writes as text', schemaOf(({ when }) => ({ when: new Date(when) })), { when: new Date(5) }],
    ['that JSON cannot write', schemaOf(({ cents }) => ({ cents: BigInt(cents) })), { cents: 100n }],
  ] as const)('%s: all callers get it, as often as they ask', async (_, schema, expected) => {
    for (const values of ['frozen', 'shared', 'copied'] as const) {
      const { parcel, open } = parcelOf({ schema, local: { values } });
      const { kept, written } = await parcel.check('key', loaded, schema);
      for (const each of [kept.value, await open(written.plain)]) {
        for (let time = 1; time <= 2; time += 1) expect(parcel.reveal(each), values).toEqual(expected);
      }
    }
  });

  test('as copies: a change to one is not seen in the next, and what cannot be copied is an error', async () => {
    const { parcel } = parcelOf({ local: { values: 'copied' } });
    const { kept } = await parcel.check(
      'key',
      loaded,
      schemaOf(({ when }) => ({ when: new Date(when) })),
    );
    (parcel.reveal(kept.value) as { when: Date }).when.setTime(7);
    expect(parcel.reveal(kept.value)).toEqual({ when: new Date(5) });
    const odd = schemaOf(() => () => 'a function');
    await expect(parcel.check('key', loaded, odd)).rejects.toMatchObject({ code: 'unserializable', key: 'key' });
  });
});

test('shared: all callers get what the serializer gives back, the first as well; the object of the loader stays its own', () => {
  const { parcel } = parcelOf({ local: { values: 'shared' } });
  const value = { when: new Date(5) };
  const kept = parcel.own(parcel.write('key', value)).value as object;
  expect(kept).toEqual({ when: '1970-01-01T00:00:00.005Z' });
  expect(Object.isFrozen(kept)).toBe(false);
});

describe('what is counted', () => {
  test.each([
    ['plain text', 'taxi', 6],
    ['Latin letters', 'ü', 3],
    ['any other, two bytes for each', '→→', 8],
    ['also when only one of them is another', 'taxi→', 14],
  ])('%s', (_, value, bytes) => {
    const { parcel } = parcelOf({ serializer: json });
    expect(parcel.own(parcel.write('key', value)).bytes).toBe(bytes);
  });
});
