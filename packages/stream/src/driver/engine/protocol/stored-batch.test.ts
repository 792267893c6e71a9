import { type CompressionAlgorithmValue, createRecordsBatch, NumericMap } from '@platformatic/kafka';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type KafkaRecord, type ReadRecord, sizeOf } from '../../record.ts';
import { crc32c } from './crc32c.ts';
import { MalformedAnswerError } from './malformed-answer-error.ts';
import { encodeBatch } from './record-batch.ts';
import { type StoredBatch, storedBatches } from './stored-batch.ts';
import { UnreadableBatchError } from './unreadable-batch-error.ts';

const bytes = fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some));
const aRecord: fc.Arbitrary<KafkaRecord> = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), bytes)),
  timestamp: fc.nat(8.64e15),
});

const record = (given: Partial<KafkaRecord>): KafkaRecord => ({
  key: null,
  value: null,
  headers: [],
  timestamp: 0,
  ...given,
});
const encoded = (records: readonly KafkaRecord[], transactional = false): Buffer =>
  encodeBatch({ records, producerId: 5n, producerEpoch: 1, baseSequence: 0, transactional });

/** As the broker keeps it. */
function stored(batch: Buffer, { baseOffset = 0n, attributes = 0 }): Buffer {
  const changed = Buffer.from(batch);
  changed.writeBigInt64BE(baseOffset, 0);
  changed.writeInt16BE(changed.readInt16BE(21) | attributes, 21);
  return signed(changed);
}

function signed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

function only(batches: Buffer): StoredBatch {
  const [first, ...others] = [...storedBatches(batches)];
  expect(others).toEqual([]);
  if (!first) throw new Error('there is none');
  return first;
}

/** With all that they consist of, which is made when it is asked for. */
const whole = (records: readonly ReadRecord[]): ReadRecord[] =>
  records.map(({ key, value, headers, timestamp, offset }) => ({ key, value, headers, timestamp, offset }));

test('records are read as they were written', () => {
  fc.assert(
    fc.property(fc.array(aRecord, { minLength: 1 }), fc.bigInt(0n, 2n ** 62n), (records, baseOffset) => {
      const batch = only(stored(encoded(records), { baseOffset }));
      expect(whole(batch.records(0n))).toEqual(
        records.map((one, index) => ({ ...one, offset: baseOffset + BigInt(index) })),
      );
      expect(batch).toMatchObject({ baseOffset, producerId: 5n, transactional: false, control: false });
      expect(batch.lastOffset).toBe(baseOffset + BigInt(records.length - 1));
    }),
    { numRuns: 40 },
  );
});

test('also those of others, in each of their compressions', () => {
  const algorithms: readonly CompressionAlgorithmValue[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
  const value = Buffer.from('all work and no play '.repeat(30));
  for (const compression of algorithms) {
    const written = createRecordsBatch(
      [1, 2, 3].map((time) => ({
        topic: 't',
        key: Buffer.from('k'),
        value,
        headers: new Map([[Buffer.from('h'), Buffer.from('x')]]),
        timestamp: BigInt(time),
      })),
      { compression, producerId: 7n, sequences: new NumericMap() },
    );
    const batch = only(written.buffer);
    expect(batch).toMatchObject({ producerId: 7n, lastOffsetDelta: 2, baseTimestamp: 1, maxTimestamp: 3 });
    const read = { key: Buffer.from('k'), value, headers: [['h', Buffer.from('x')]] };
    expect(whole(batch.records(1n))).toEqual(
      [2, 3].map((time) => ({ ...read, offset: BigInt(time - 1), timestamp: time })),
    );
  }
});

test('one after the other, and what is cut short at the end is left out', () => {
  const [first, second] = [encoded([record({}), record({})]), stored(encoded([record({})], true), { baseOffset: 2n })];
  const both = Buffer.concat([first, second]);
  for (let length = 0; length <= both.length; length += 1) {
    const whole = length < first.length ? [] : length < both.length ? [0n] : [0n, 2n];
    expect([...storedBatches(both.subarray(0, length))].map(({ baseOffset }) => baseOffset)).toEqual(whole);
  }
  expect([...storedBatches(both)].map(({ transactional }) => transactional)).toEqual([false, true]);
});

test('those before an offset are not read', () => {
  const batch = only(stored(encoded([record({}), record({}), record({})]), { baseOffset: 10n }));
  for (const [from, offsets] of [
    [0n, [10n, 11n, 12n]],
    [10n, [10n, 11n, 12n]],
    [12n, [12n]],
    [13n, []],
    [2n ** 62n, []],
  ] as const) {
    expect(batch.records(from).map(({ offset }) => offset)).toEqual(offsets);
  }
});

test('where the broker says the time, it is that of each record', () => {
  const batch = stored(encoded([record({ timestamp: 5 }), record({ timestamp: 9 })]), { attributes: 1 << 3 });
  expect(
    only(batch)
      .records(0n)
      .map(({ timestamp }) => timestamp),
  ).toEqual([9, 9]);
});

test('a marker says how a transaction ended', () => {
  const marker = (hex: string): StoredBatch =>
    only(stored(encoded([record({ key: Buffer.from(hex, 'hex') })], true), { attributes: 1 << 5 }));
  expect(marker('00000000')).toMatchObject({ control: true, transactional: true, marker: 'abort' });
  expect(marker('00000001').marker).toBe('commit');
  expect(marker('00000002').marker).toBeUndefined();
  expect(marker('0000').marker).toBeUndefined();
  expect(only(encoded([record({ key: Buffer.alloc(4) })], true)).marker).toBeUndefined();
});

test('a batch of which compaction has left nothing says where it ended', () => {
  const bytes = encoded([record({}), record({})]).subarray(0, 61);
  bytes.writeInt32BE(49, 8);
  bytes.writeInt32BE(0, 57);
  // Whatever it says of compression: there is nothing that could be.
  const batch = only(stored(bytes, { baseOffset: 4n, attributes: 4 }));
  expect(batch.lastOffset).toBe(5n);
  expect(batch.records(0n)).toEqual([]);
});

test('whoever keeps a record does not keep what came with it', () => {
  const written = encoded([record({ key: Buffer.from('k'), value: Buffer.alloc(5000, 1) }), record({})]);
  const [kept] = only(written).records(0n);
  written.fill(0);
  expect(kept?.key?.toString()).toBe('k');
  expect(kept?.value).toEqual(Buffer.alloc(5000, 1));
  expect(kept?.value?.buffer.byteLength).toBeLessThan(100_000);
});

test('what a record is not is found out before anybody has it', () => {
  fc.assert(
    fc.property(fc.array(aRecord, { minLength: 1 }), fc.nat(), fc.nat(255), (records, at, byte) => {
      const written = encoded(records);
      written[61 + (at % (written.length - 61))] = byte;
      let read: ReadRecord[];
      try {
        read = only(signed(written)).records(0n);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedAnswerError);
        return;
      }
      whole(read);
    }),
    { numRuns: 2_000 },
  );
});

test('a record is about as large as it says', () => {
  fc.assert(
    fc.property(aRecord, (one) => {
      const [read] = only(encoded([one])).records(0n);
      // Numbers of one byte where others count four, names in UTF-8.
      const text = one.headers.reduce((sum, [name]) => sum + Buffer.byteLength(name) - name.length, 0);
      expect(Math.abs((read?.size ?? 0) - sizeOf(one) - text)).toBeLessThanOrEqual(12 + 4 * one.headers.length);
    }),
  );
});

test('those before a batch that cannot be read can be read', () => {
  const good = encoded([record({})]);
  const bad = Buffer.from(good);
  bad.writeInt8(1, bad.length - 1);
  const batches = storedBatches(Buffer.concat([good, bad]));
  expect(batches.next().value).toMatchObject({ baseOffset: 0n });
  expect(() => batches.next()).toThrow(/checksum/);
});

test('what is of an older format, or compressed in a way that nobody knows, is refused with reason', () => {
  const good = encoded([record({})]);
  const old = Buffer.from(good);
  old.writeInt8(1, 16);
  expect(() => [...storedBatches(old)]).toThrow(UnreadableBatchError);
  expect(() => [...storedBatches(old)]).toThrow(/format 1/);
  const strange = only(stored(good, { attributes: 6 }));
  expect(() => strange.records(0n)).toThrow(UnreadableBatchError);
});

test.for([
  ['too short for its header', 8, 48],
  ['of a negative length', 8, -1],
  ['of more records than there is room for', 57, 2 ** 31 - 1],
  ['of a negative number of records', 57, -1],
  ['with fewer bytes than records', 57, 3],
] as const)('a batch that is %s is malformed', ([, at, value]) => {
  const bytes = encoded([record({}), record({})]);
  bytes.writeInt32BE(value, at);
  expect(() => [...storedBatches(signed(bytes))].map((batch) => batch.records(0n))).toThrow(MalformedAnswerError);
});

test('whatever is wrong in a record, it is read or refused', () => {
  const whole = encoded([
    record({ key: Buffer.from('key'), value: Buffer.from('value'), headers: [['h', Buffer.from('x')]], timestamp: 1 }),
    record({ headers: [['h', Buffer.from('x')]], timestamp: 2 ** 40 }),
  ]);
  const changes = fc.array(fc.tuple(fc.integer({ min: 61, max: whole.length - 1 }), fc.nat(255)), { minLength: 1 });
  fc.assert(
    fc.property(changes, (all) => {
      const bytes = Buffer.from(whole);
      for (const [at, byte] of all) bytes[at] = byte;
      try {
        for (const batch of storedBatches(signed(bytes))) batch.records(0n);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedAnswerError);
      }
    }),
  );
});

test('whatever the bytes are, they are batches or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), fc.boolean(), (random, format) => {
      const bytes = Buffer.from(random);
      if (format && bytes.length > 16) bytes[16] = 2;
      try {
        for (const batch of storedBatches(bytes)) batch.records(0n);
      } catch (error) {
        expect(error instanceof MalformedAnswerError || error instanceof UnreadableBatchError).toBe(true);
      }
    }),
  );
});
