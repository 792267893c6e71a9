import { expect, test } from 'vitest';
import type { Driver } from '../../src/driver/driver.ts';
import type { GroupReaderEvents } from '../../src/driver/group-reader.ts';
import type { PartitionReaderEvents } from '../../src/driver/partition-reader.ts';
import { StreamClosedError } from '../../src/errors/stream-closed-error.ts';
import { Follower } from './follower.ts';
import { Member, overlaps } from './member.ts';
import { endless, record } from './stage.ts';

// What is written down of readers is checked as it comes: here by readers that break their promises.

const reader = { pause() {}, resume() {}, rejoin() {}, commit: async () => {}, stop: async () => {} };

async function member(handOver = 1_000, revoked = async (): Promise<void> => {}): Promise<[Member, GroupReaderEvents]> {
  let events: GroupReaderEvents | undefined;
  const readGroup = async (_: unknown, given: GroupReaderEvents): Promise<typeof reader> => {
    events = given;
    return reader;
  };
  const joined = await Member.join({ readGroup } as unknown as Driver, {
    group: 'g',
    topics: ['t'],
    handOver,
    revoked,
  });
  return [joined, events as GroupReaderEvents];
}

const at = (offset: bigint) => ({ ...record('x'), offset });
const zero = { topic: 't', partition: 0 };
const assigned = [{ ...zero, offset: 5n, missed: 0n }];
const as = { member: 'm', generation: 1 };

const broken: [string, (events: GroupReaderEvents) => void | Promise<void>, RegExp][] = [
  ['records before assigned', (e) => e.records(zero, [at(0n)], { next: 1n, end: 1n }), /not assigned/],
  [
    'records from before where it begins',
    (e) => {
      e.assigned(assigned, as);
      e.records(zero, [at(4n)], { next: 5n, end: 5n });
    },
    /4 came after 4/,
  ],
  [
    'records again',
    (e) => {
      e.assigned(assigned, as);
      e.records(zero, [at(5n), at(6n)], { next: 7n, end: 9n });
      e.records(zero, [at(6n)], { next: 7n, end: 9n });
    },
    /6 came after 6/,
  ],
  [
    'a next that goes back',
    (e) => {
      e.assigned(assigned, as);
      e.records(zero, [at(6n)], { next: 6n, end: 9n });
    },
    /next is 6/,
  ],
  [
    'an end before next',
    (e) => {
      e.assigned(assigned, as);
      e.records(zero, [at(6n)], { next: 7n, end: 6n });
    },
    /past the end/,
  ],
  [
    'assigned twice',
    (e) => {
      e.assigned(assigned, as);
      e.assigned(assigned, as);
    },
    /neither revoked nor lost/,
  ],
  [
    'records after revoked',
    async (e) => {
      e.assigned(assigned, as);
      await e.revoked();
      e.records(zero, [at(5n)], { next: 6n, end: 6n });
    },
    /not assigned/,
  ],
  [
    'records after lost',
    (e) => {
      e.assigned(assigned, as);
      e.lost(new StreamClosedError('x'));
      e.records(zero, [at(5n)], { next: 6n, end: 6n });
    },
    /not assigned/,
  ],
  ['a confirmation from the future', (e) => e.confirmed(performance.now() + 1_000), /in the future/],
];

test.for(broken)('a member complains of %s', async ([, action, complaint]) => {
  const [joined, events] = await member();
  await action(events);
  expect(joined.complaints.join('\n')).toMatch(complaint);
});

test('a member complains of what comes while it hands over, and after it has stopped', async () => {
  const waiting = Promise.withResolvers<void>();
  const [joined, events] = await member(1_000, () => waiting.promise);
  events.assigned(assigned, as);
  const revoked = events.revoked();
  events.confirmed(performance.now());
  events.assigned([], as);
  waiting.resolve();
  await revoked;
  expect(joined.complaints).toHaveLength(2);
  await joined.stop();
  events.trouble(undefined);
  expect(joined.complaints[2]).toBe('trouble came after the reader had stopped');
});

test('two members that have a partition at the same time are found, unless one has lost it', async () => {
  const [[a, toA], [b, toB]] = [await member(), await member()];
  toA.assigned(assigned, as);
  toB.assigned(assigned, as);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(overlaps([a, b])).toHaveLength(1);
  toA.lost(new StreamClosedError('x'));
  expect(overlaps([a, b])).toEqual([]);
});

test('a follower complains of what it has not asked for', async () => {
  let events: PartitionReaderEvents | undefined;
  const readPartitions = async (_: unknown, given: PartitionReaderEvents): Promise<typeof reader> => {
    events = given;
    return reader;
  };
  const from = new Map([[0, 3n]]);
  const follower = await Follower.of({ readPartitions } as unknown as Driver, { topic: 't', from, signal: endless });
  events?.records({ topic: 't', partition: 1 }, [at(0n)], { next: 1n, end: 1n });
  events?.records(zero, [at(2n)], { next: 3n, end: 3n });
  events?.missed(zero, 4n);
  events?.records(zero, [at(6n)], { next: 7n, end: 8n });
  expect(follower.complaints).toHaveLength(3);
  expect(follower.course().lag).toBe(1n);
});
