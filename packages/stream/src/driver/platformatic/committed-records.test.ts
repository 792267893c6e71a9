import type { RecordsBatch } from '@platformatic/kafka';
import { expect, test } from 'vitest';
import { committedRecords } from './committed-records.ts';

const transactional = 1 << 4;
const control = 1 << 5;

function batch(firstOffset: bigint, values: readonly string[], given: Partial<RecordsBatch> = {}): RecordsBatch {
  const records = values.map((value, offsetDelta) => ({
    length: 0,
    attributes: 0,
    timestampDelta: BigInt(offsetDelta),
    offsetDelta,
    key: null,
    value: Buffer.from(value),
    headers: [],
  }));
  return {
    firstOffset,
    length: 0,
    partitionLeaderEpoch: 0,
    magic: 2,
    crc: 0,
    attributes: 0,
    lastOffsetDelta: values.length - 1,
    firstTimestamp: 1_000n,
    maxTimestamp: 2_000n,
    producerId: -1n,
    producerEpoch: 0,
    firstSequence: 0,
    records,
    ...given,
  };
}

const of = (producerId: bigint): Partial<RecordsBatch> => ({ producerId, attributes: transactional });

function marker(firstOffset: bigint, producerId: bigint, type: 'abort' | 'commit'): RecordsBatch {
  const attributes = transactional | control;
  const [record] = batch(0n, ['']).records;
  const key = Buffer.from([0, 0, 0, type === 'commit' ? 1 : 0]);
  if (!record) throw new Error('no record');
  return batch(firstOffset, [''], { producerId, attributes, records: [{ ...record, key }] });
}

const valuesOf = (...given: Parameters<typeof committedRecords>): string[] =>
  committedRecords(...given).records.map(({ value }) => String(value));

test('what one producer has aborted several times is left out each time, and what it has committed between is not', () => {
  const batches = [
    batch(0n, ['a', 'b'], of(7n)),
    marker(2n, 7n, 'abort'),
    batch(3n, ['c'], of(7n)),
    marker(4n, 7n, 'commit'),
    batch(5n, ['d'], of(7n)),
    marker(6n, 7n, 'abort'),
    batch(7n, ['e']),
  ];
  const aborted = [
    { producerId: 7n, firstOffset: 5n },
    { producerId: 7n, firstOffset: 0n },
  ];
  expect(valuesOf(batches, aborted, 0n)).toEqual(['c', 'e']);
  expect(committedRecords(batches, aborted, 0n).next).toBe(8n);
});

test('what was aborted is left out where its marker is of another answer', () => {
  const batches = [batch(10n, ['a'], of(7n)), batch(11n, ['b'], of(8n)), batch(12n, ['c'])];
  expect(valuesOf(batches, [{ producerId: 7n, firstOffset: 2n }], 10n)).toEqual(['b', 'c']);
});

test('a transaction that is aborted later than another begins takes nothing of that one', () => {
  const batches = [
    batch(0n, ['a'], of(7n)),
    batch(1n, ['b'], of(8n)),
    marker(2n, 8n, 'commit'),
    batch(3n, ['c'], of(8n)),
    marker(4n, 7n, 'abort'),
    marker(5n, 8n, 'abort'),
  ];
  const aborted = [
    { producerId: 7n, firstOffset: 0n },
    { producerId: 8n, firstOffset: 3n },
  ];
  expect(valuesOf(batches, aborted, 0n)).toEqual(['b']);
});

test('of a batch that begins before the offset that was asked for, nothing comes twice', () => {
  const batches = [batch(0n, ['a', 'b', 'c']), batch(3n, ['d'])];
  expect(valuesOf(batches, [], 2n)).toEqual(['c', 'd']);
  expect(committedRecords(batches, [], 2n).records[0]).toMatchObject({ offset: 2n, timestamp: 1_002 });
});

test('where all of it is markers, or compacted away, it goes on after them', () => {
  expect(committedRecords([marker(4n, 7n, 'commit')], [], 4n)).toEqual({ records: [], next: 5n });
  expect(committedRecords([batch(5n, [], { lastOffsetDelta: 9 })], [], 7n)).toEqual({ records: [], next: 15n });
  expect(committedRecords([], [], 4n)).toEqual({ records: [], next: 4n });
});

test('the time is that of the broker where the topic wants it so', () => {
  const [record] = committedRecords([batch(0n, ['a'], { attributes: 1 << 3 })], [], 0n).records;
  expect(record?.timestamp).toBe(2_000);
});
