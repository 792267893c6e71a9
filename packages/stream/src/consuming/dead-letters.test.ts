import { expect, test } from 'vitest';
import { sizeOf } from '../driver/record.ts';
import { headerNames, headersByName } from '../topic/headers.ts';
import { DeadLetters } from './dead-letters.ts';
import { Entry } from './entry.ts';
import { RecordLimits } from './record-limits.ts';

const most = 5_000;
const { signal } = new AbortController();
const limits = new RecordLimits({
  describeTopic: async () => ({ partitions: 1, replication: 1, settings: { 'max.message.bytes': String(most) } }),
} as never);
const letters = new DeadLetters({} as never, { of: async () => [1] } as never, limits, 'rides', 'shop');

test.for([
  ['a small one', { value: 1_000, key: 5, header: 5 }, { value: 1_000, key: 5, cut: undefined }],
  ['a large value', { value: 9_000, key: 5, header: 5 }, { key: 5, cut: 'of 9000 bytes of its value are left' }],
  ['large headers', { value: 1_000, key: 5, header: 9_000 }, { value: 0, key: 5, cut: 'none of its headers' }],
  ['a large key', { value: 1_000, key: 9_000, header: 5 }, { value: 0, key: 1_000, cut: 'of its key 1000 bytes' }],
] as const)('a letter fits in its topic, and tells what it lacks: %s', async ([, has, left]) => {
  const [value, key, header] = [has.value, has.key, has.header].map((size) => Buffer.alloc(size, 'x'));
  const headers = [['own', header as Buffer]] as const;
  const record = { key: key as Buffer, value: value as Buffer, headers, timestamp: 7, offset: 3n };
  const entry = new Entry(record, sizeOf(record));
  entry.dead = { reason: 'failed', error: 'e'.repeat(5_000) };
  const { record: letter } = await letters.letter({ topic: 'rides', partition: 0 }, entry, signal);
  expect(sizeOf(letter)).toBeLessThan(most);
  const told = headersByName(letter.headers);
  expect(told).toMatchObject({ [headerNames.deadOffset]: '3', [headerNames.published]: '7' });
  expect(letter.key?.length).toBe(left.key);
  if ('value' in left) expect(letter.value?.length ?? 0).toBe(left.value);
  else expect(letter.value?.length).toBeGreaterThan(3_000);
  if (left.cut === undefined) expect(told[headerNames.deadCut]).toBeUndefined();
  else expect(told[headerNames.deadCut]).toContain(left.cut);
});

test('of a message that was a dead letter before, a letter tells its last death alone', async () => {
  const before = {
    own: 'x',
    [headerNames.published]: '7',
    [headerNames.deadReason]: 'invalid-value',
    [headerNames.deadError]: 'what was wrong then',
    [headerNames.deadTopic]: 'taxis',
    [headerNames.deadPartition]: '5',
    [headerNames.deadOffset]: '70',
    [headerNames.deadAttempts]: '9',
    [headerNames.deadGroup]: 'billing',
    [headerNames.deadCut]: 'the first 9 of 10 bytes of its value are left',
  };
  const headers = Object.entries(before).map(([name, text]) => [name, Buffer.from(text)] as const);
  const record = { key: null, value: null, headers, timestamp: 9, offset: 3n };
  const entry = new Entry(record, sizeOf(record));
  entry.dead = { reason: 'failed', error: 'what is wrong now' };
  entry.failures = 2;
  const { record: letter } = await letters.letter({ topic: 'rides', partition: 0 }, entry, signal);
  expect(letter.headers.map(([name, value]) => [name, value.toString()])).toEqual([
    ['own', 'x'],
    [headerNames.published, '7'],
    [headerNames.deadReason, 'failed'],
    [headerNames.deadError, 'what is wrong now'],
    [headerNames.deadTopic, 'rides'],
    [headerNames.deadPartition, '0'],
    [headerNames.deadOffset, '3'],
    [headerNames.deadAttempts, '2'],
    [headerNames.deadGroup, 'shop'],
  ]);
});
