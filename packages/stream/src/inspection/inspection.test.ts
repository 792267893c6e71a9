import { afterEach, expect, test, vi } from 'vitest';
import type { Connection } from '../connection.ts';
import type { Admin } from '../driver/admin.ts';
import type { Driver } from '../driver/driver.ts';
import type { PartitionReaderEvents, PartitionReaderOptions } from '../driver/partition-reader.ts';
import { KafkaUnreachableError } from '../errors/kafka-unreachable-error.ts';
import { UnknownTopicError } from '../errors/unknown-topic-error.ts';
import { Inspection } from './inspection.ts';

afterEach(() => void vi.useRealTimers());

/** A cluster with a topic `t`, of which partition 1 has no leader, and groups that have committed 5n in each partition of `topic`. */
function inspect(groups: Readonly<Record<string, { readonly topic: string } | Error>>, begin = 0n): Inspection {
  const of = (group: string): { readonly topic: string } => {
    const found = groups[group];
    if (!found || found instanceof Error) throw found;
    return found;
  };
  const admin: Partial<Admin> = {
    topics: async () => ['s', 't'],
    leaders: async () => [1, -1],
    groups: async () => Object.keys(groups),
    describeGroup: async (group) => {
      const partitions = [0, 1].map((partition) => ({ topic: of(group).topic, partition }));
      return { state: 'Stable', members: [{ id: 'm', clientId: 'c', host: 'h', partitions }] };
    },
    committed: async (group) => [0, 1].map((partition) => ({ topic: of(group).topic, partition, offset: 5n })),
    offsets: async (topic, at, _, { lenient = false } = {}) => {
      if (topic === 'gone') throw new UnknownTopicError(topic);
      if (!lenient) throw new KafkaUnreachableError('find offsets');
      return new Map([[0, at === 'latest' ? 9n : begin]]);
    },
  };
  const readPartitions = async ({ from, topic }: PartitionReaderOptions, { records }: PartitionReaderEvents) => {
    const offset = from.get(0) ?? 0n;
    const record = { key: null, value: null, headers: [], timestamp: 77, offset };
    // What stands in `s` cannot be read.
    if (topic === 't') queueMicrotask(() => records({ topic, partition: 0 }, [record], { next: 9n, end: 9n }));
    return { pause: () => {}, resume: () => {}, stop: async () => {} };
  };
  const driver = { admin, readPartitions } as unknown as Driver;
  const open = async () => ({ driver });
  const until = (signal: AbortSignal | undefined): AbortSignal => signal ?? new AbortController().signal;
  return new Inspection({ open, until } as unknown as Connection);
}

const member = 'c at h';

test('a partition without a leader is told as one, with all others', async () => {
  const partitions = [
    { partition: 0, leader: 1, begin: 0n, end: 9n },
    { partition: 1, leader: -1, begin: undefined, end: undefined },
  ];
  expect(await inspect({}).topics()).toEqual([
    { topic: 's', partitions },
    { topic: 't', partitions },
  ]);
  expect(await inspect({ g: { topic: 't' } }).groups()).toMatchObject([
    {
      group: 'g',
      state: 'Stable',
      trouble: undefined,
      partitions: [
        { partition: 0, committed: 5n, end: 9n, lag: 4n, oldestUnread: 77, member },
        { partition: 1, committed: 5n, end: undefined, lag: undefined, oldestUnread: undefined, member },
      ],
    },
  ]);
});

test('a group that cannot be looked at is told with the reason, with all others; asked for by name it is an error', async () => {
  const inspection = inspect({ bad: new KafkaUnreachableError('describe the group "bad"'), good: { topic: 't' } });
  expect(await inspection.groups()).toMatchObject([
    { group: 'bad', state: 'Unknown', partitions: [], trouble: expect.stringContaining('describe the group "bad"') },
    { group: 'good', state: 'Stable', partitions: [{ lag: 4n }, {}] },
  ]);
  await expect(inspection.groups({ group: 'bad' })).rejects.toMatchObject({ code: 'kafka-unreachable' });
});

test('a group of a topic that is gone keeps what it has committed, and has no lag', async () => {
  const place = { topic: 'gone', committed: 5n, end: undefined, lag: undefined, oldestUnread: undefined, member };
  expect(await inspect({ g: { topic: 'gone' } }).groups()).toMatchObject([{ group: 'g', partitions: [place, place] }]);
});

test('what retention has taken is not waited for, nor what cannot be read', async () => {
  const [taken] = await inspect({ g: { topic: 't' } }, 9n).groups();
  expect(taken?.partitions[0]).toMatchObject({ lag: 4n, oldestUnread: undefined });
  vi.useFakeTimers();
  const looking = inspect({ g: { topic: 's' } }).groups();
  await vi.advanceTimersByTimeAsync(10_000);
  const [unreadable] = await looking;
  expect(unreadable?.partitions[0]).toMatchObject({ lag: 4n, oldestUnread: undefined });
});
