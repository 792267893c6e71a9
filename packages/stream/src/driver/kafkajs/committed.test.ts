import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { committed } from './committed.ts';
import { decompressor } from './compression.ts';

interface Given {
  readonly first: number;
  /** What is left of it, by how far it is from the first. */
  readonly values?: Readonly<Record<number, string>>;
  readonly last?: number;
  readonly producer?: number;
  readonly attributes?: number;
  readonly key?: Buffer;
}

const [inTransaction, marker, gzip] = [0x10, 0x30, 0x01];
const [aborts, commits] = [Buffer.from([0, 0, 0, 0]), Buffer.from([0, 0, 0, 1])];

/** Numbers below 64 take one byte, whose lowest bit is the sign. */
const small = (value: number): number => value * 2;

function stored({ first, values = { 0: 'x' }, last = first, producer = -1, attributes = 0, key }: Given): Buffer {
  const records = Object.entries(values).map(([delta, value]) => {
    const named = key ? [small(key.length), ...key] : [1];
    const body = Buffer.from([0, 0, small(Number(delta)), ...named, small(value.length), ...Buffer.from(value), 0]);
    return Buffer.concat([Buffer.from([small(body.length)]), body]);
  });
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(BigInt(first), 0);
  head.writeInt8(2, 16);
  head.writeInt16BE(attributes, 21);
  head.writeInt32BE(last - first, 23);
  head.writeBigInt64BE(BigInt(producer), 43);
  head.writeInt32BE(records.length, 57);
  const body = Buffer.concat(records);
  const whole = Buffer.concat([head, attributes & gzip ? gzipSync(body) : body]);
  whole.writeInt32BE(whole.length - 12, 8);
  return whole;
}

async function read(batches: readonly Buffer[], from = 0, aborted: readonly (readonly [number, number])[] = []) {
  const fetched = {
    topic: 't',
    partition: 0,
    errorCode: 0,
    end: 100n,
    aborted: aborted.map(([producerId, first]) => ({ producerId: BigInt(producerId), first: BigInt(first) })),
    stored: Buffer.concat(batches),
  };
  const decompress = decompressor({} as Parameters<typeof decompressor>[0]);
  const { records, next } = await committed(fetched, BigInt(from), decompress);
  return { values: records.map(({ value }) => String(value)), next };
}

test('what compaction has left nothing of is gone over, and the rest of a batch with it', async () => {
  const batches = [stored({ first: 0, values: {}, last: 9 }), stored({ first: 10, values: { 2: 'left' }, last: 15 })];
  expect(await read(batches)).toEqual({ values: ['left'], next: 16n });
  expect(await read(batches.slice(0, 1))).toEqual({ values: [], next: 10n });
});

test('a batch is given from the offset that was asked for, and one of which only the beginning came is not', async () => {
  const whole = stored({ first: 4, values: { 0: 'a', 1: 'b', 2: 'c' }, last: 6 });
  const half = stored({ first: 7 }).subarray(0, 62);
  expect(await read([whole, half], 5)).toEqual({ values: ['b', 'c'], next: 7n });
  expect(await read([], 5)).toEqual({ values: [], next: 5n });
});

test('of transactions that have begun before, and in whatever order they are told, the aborted ones are left out', async () => {
  const batches = [
    stored({ first: 20, producer: 1, attributes: inTransaction, values: { 0: 'aborted' } }),
    stored({ first: 21, producer: 2, attributes: inTransaction, values: { 0: 'aborted' } }),
    stored({ first: 22, producer: 3, attributes: inTransaction, values: { 0: 'committed' } }),
    stored({ first: 23, producer: 2, attributes: marker, key: aborts }),
    stored({ first: 24, producer: 1, values: { 0: 'in no transaction' } }),
    stored({ first: 25, producer: 1, attributes: marker, key: aborts }),
    stored({ first: 26, producer: 3, attributes: marker, key: commits }),
    stored({ first: 27, producer: 1, attributes: inTransaction, values: { 0: 'the next one' } }),
  ];
  const expected = { values: ['committed', 'in no transaction', 'the next one'], next: 28n };
  const aborted = [
    [2, 11],
    [1, 10],
  ] as const;
  expect(await read(batches, 20, aborted)).toEqual(expected);
  expect(await read(batches, 20, aborted.toReversed())).toEqual(expected);
});

test('compressed records are read, and what Node.js cannot read is said', async () => {
  expect(await read([stored({ first: 0, attributes: gzip, values: { 0: 'a', 1: 'b' }, last: 1 })])).toEqual({
    values: ['a', 'b'],
    next: 2n,
  });
  await expect(read([stored({ first: 0, attributes: 2 })])).rejects.toThrow(/snappy.*CompressionCodecs/);
});
