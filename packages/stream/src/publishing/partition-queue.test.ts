import { expect, test } from 'vitest';
import { PartitionQueue } from './partition-queue.ts';
import { Pending } from './pending.ts';

/** So many messages, numbered, in a queue. */
function queueOf(count: number): PartitionQueue {
  const queue = new PartitionQueue('t', 0, 1_000);
  for (let number = 0; number < count; number += 1) {
    const record = { key: null, value: Buffer.from(String(number)), headers: [], timestamp: 0 };
    queue.push(new Pending('t', 0, record, () => {}));
  }
  return queue;
}

test('a batch that is refused for one message goes in halves, in order, until that one goes alone', () => {
  const queue = queueOf(8);
  const went: string[] = [];
  while (!queue.isEmpty) {
    const values = queue.take(() => {})?.records.map(({ value }) => String(value)) ?? [];
    went.push(values.join(''));
    if (values.includes('2') && values.length > 1) queue.halve();
    else queue.settle();
  }
  expect(went).toEqual(['01234567', '0123', '01', '23', '2', '3', '4567']);
});

test('those that come after them go together again', () => {
  const queue = queueOf(2);
  queue.take(() => {});
  queue.halve();
  for (let turn = 0; turn < 2; turn += 1) {
    expect(queue.take(() => {})?.records.length).toBe(1);
    queue.settle();
  }
  for (let number = 0; number < 3; number += 1)
    queue.push(new Pending('t', 0, { key: null, value: null, headers: [], timestamp: 0 }, () => {}));
  expect(queue.take(() => {})?.records.length).toBe(3);
});

test.each(['split', 'halve'] as const)(
  'whoever gives up after a batch was refused knows that the message is not there, and it does not go again: %s',
  (refused) => {
    const queue = queueOf(2);
    const giveUp = new AbortController();
    const told: unknown[] = [];
    const record = { key: null, value: Buffer.from('given up'), headers: [], timestamp: 0 };
    const pending = new Pending('t', 0, record, (error) => told.push(error));
    pending.until(giveUp.signal, () => {});
    queue.push(pending);
    expect(queue.take(() => {})?.records).toHaveLength(3);
    queue[refused]();
    giveUp.abort(new Error('enough'));
    expect(told).toEqual([new Error('enough')]);
    const went: string[] = [];
    while (!queue.isEmpty) {
      went.push(...(queue.take(() => {})?.records.map(({ value }) => String(value)) ?? []));
      queue.settle();
    }
    expect(went).toEqual(['0', '1']);
  },
);
