import { crc32c, Reader, readRecordsBatch } from '@platformatic/kafka';
import { expect, test } from 'vitest';
import type { KafkaRecord } from '../../record.ts';
import { encodeBatch } from './record-batch.ts';

const day = 24 * 60 * 60 * 1000;
const producer = { producerId: 2n ** 40n, producerEpoch: 7, baseSequence: 11 };

function encoded(records: readonly KafkaRecord[], transactional = false): Buffer {
  return encodeBatch({ records, ...producer, transactional });
}

const record = (given: Partial<KafkaRecord>): KafkaRecord => ({
  key: null,
  value: null,
  headers: [],
  timestamp: 0,
  ...given,
});

test.for([
  ['days', [0, 40 * day, -40 * day]],
  ['years', [1_700_000_000_000, 0, 4_000_000_000_000]],
  ['where its bits are few', [0, 2 ** 35, -(2 ** 35), 2 ** 31, -(2 ** 31)]],
  ['all of time', [8.64e15, 0, 1]],
] as const)('a time that is %s from the first one is written as it is', ([, times]) => {
  const bytes = encoded(times.map((timestamp) => record({ timestamp })));
  const { firstTimestamp, maxTimestamp, records } = readRecordsBatch(Reader.from(bytes));
  expect(records.map(({ timestampDelta }) => Number(firstTimestamp + timestampDelta))).toEqual(times);
  expect(Number(maxTimestamp)).toBe(Math.max(...times));
});

test('keys, values and headers are written as they are, also empty ones and such as there are not', () => {
  const headers = [
    ['to', Buffer.from('a')],
    ['', Buffer.alloc(0)],
    ['töö', Buffer.from([255, 0])],
    ['to', Buffer.alloc(70)],
  ] as const;
  const given = [
    record({ key: Buffer.alloc(0), value: Buffer.alloc(0) }),
    record({ key: Buffer.from('ü'), value: Buffer.alloc(70_000, 1), headers }),
    record({}),
  ];
  const { records, ...head } = readRecordsBatch(Reader.from(encoded(given)));
  expect(
    records.map(({ key, value, headers: of }) => [key, value, of.map(([name, of]) => [String(name), of])]),
  ).toEqual(given.map(({ key, value, headers: of }) => [key, value, of.map(([name, of]) => [name, of])]));
  expect(records.map(({ offsetDelta }) => offsetDelta)).toEqual([0, 1, 2]);
  expect(head).toMatchObject({ producerId: 2n ** 40n, producerEpoch: 7, firstSequence: 11, lastOffsetDelta: 2 });
});

test('its length and its checksum are right, and it says whether it is of a transaction', () => {
  const bytes = encoded([record({ value: Buffer.from('x') })], true);
  const { length, crc, attributes, magic } = readRecordsBatch(Reader.from(bytes));
  expect([length, crc, magic]).toEqual([bytes.length - 12, crc32c(bytes.subarray(21)), 2]);
  expect(attributes).toBe(1 << 4);
  expect(readRecordsBatch(Reader.from(encoded([record({})]))).attributes).toBe(0);
});
