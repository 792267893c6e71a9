import { expect, test } from 'vitest';
import { type ReadRecord, sizeOf } from '../driver/record.ts';
import { Assignment } from './assignment.ts';
import { Hands } from './hands.ts';
import type { Lane } from './lane.ts';
import type { PartitionWork } from './partition-work.ts';

const partitions = [0, 1, 2, 3].map((partition) => ({ topic: 'rides', partition, offset: 0n, missed: 0n }));

/** Four partitions whose messages are done with when the test says so. */
function assigned(bytes: number, messages = 10_000) {
  const paused = new Set<number>();
  const lanes: Lane<PartitionWork>[] = [];
  const hands = new Hands<Lane<PartitionWork>>(1_000, (lane) => {
    lanes.push(lane);
    return undefined;
  });
  const tap = {
    pause: ({ partition }: { readonly partition: number }) => void paused.add(partition),
    resume: ({ partition }: { readonly partition: number }) => void paused.delete(partition),
  };
  const buffer = { messages, bytes };
  const assignment = new Assignment(
    partitions,
    { hands, buffer, tap, guards: [], isOurs: () => true, as: undefined },
    new Map(),
  );
  let next = 0n;
  return {
    paused,
    assignment,
    /** A message of so many bytes arrives. */
    take: (partition: number, size: number): void => {
      const empty: ReadRecord = { key: null, value: Buffer.alloc(0), headers: [], timestamp: 1, offset: next };
      next += 1n;
      const record = { ...empty, value: Buffer.alloc(size - sizeOf(empty)) };
      assignment.take({ topic: 'rides', partition }, [record], { next, end: next });
    },
    /** All that has arrived of the partition is done with. */
    finish: (partition: number): void => {
      for (const lane of lanes.splice(0)) {
        const entry = lane.work.partition.partition === partition ? lane.work.begin(lane) : undefined;
        if (!entry) lanes.push(lane);
        else {
          lane.work.settle(lane, entry, 'done');
          assignment.relieve(lane.work);
        }
      }
    },
  };
}

test('a partition that stands still stops itself, and no other', () => {
  const { paused, take, finish } = assigned(8_000);
  for (let count = 0; count < 20; count += 1) take(0, 500);
  expect([...paused]).toEqual([0]);
  for (let count = 0; count < 100; count += 1) {
    take(1, 500);
    expect([...paused]).toEqual([0]);
    finish(1);
  }
  finish(0);
  expect([...paused]).toEqual([]);
});

test('all together have no more than they may, and each has a share', () => {
  const { paused, assignment, take, finish } = assigned(8_000);
  const { works } = assignment;
  for (const partition of [0, 1, 2, 3])
    for (let count = 0; count < 100 && !paused.has(partition); count += 1) take(partition, 100);
  expect([...paused]).toEqual([0, 1, 2, 3]);
  // Half of it is for whoever comes first, the other half is shared out.
  expect([...works.values()].map(({ bytes }) => bytes)).toEqual([5_000, 1_000, 1_000, 1_000]);
  finish(1);
  expect([...paused]).toEqual([0, 2, 3]);
  finish(0);
  expect([...paused]).toEqual([]);
});

test('a partition has no more messages than it may, however small, and goes on when half of them are done with', () => {
  const { paused, take, finish } = assigned(1_000_000, 4);
  for (let count = 0; count < 4; count += 1) {
    expect([...paused]).toEqual([]);
    take(0, 50);
  }
  expect([...paused]).toEqual([0]);
  take(1, 50);
  finish(1);
  // Room for others is none for this one.
  expect([...paused]).toEqual([0]);
  finish(0);
  expect([...paused]).toEqual([]);
});
