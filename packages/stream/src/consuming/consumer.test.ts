import { afterEach, expect, test, vi } from 'vitest';
import type { Driver } from '../driver/driver.ts';
import type { GroupReader, GroupReaderEvents } from '../driver/group-reader.ts';
import type { TopicPartition } from '../driver/record.ts';
import type { GroupOffset } from '../driver/transactor.ts';
import { offsetCommits } from './commits.ts';
import { checkConsumeOptions } from './consume-options.ts';
import { Consumer, type ConsumerParts } from './consumer.ts';
import type { Entry } from './entry.ts';
import { noStats } from './stats.ts';

const partition = { topic: 't', partition: 0 };

afterEach(() => void vi.useRealTimers());

/** A group in which the consumer is the only member, and has one partition. */
class Group {
  events: GroupReaderEvents | undefined;
  commit = async (_: readonly GroupOffset[]): Promise<void> => {};
  readonly paused: TopicPartition[] = [];
  /** What happens before its reader is there. */
  early = (): void => {};

  driver(): Driver {
    const reader: GroupReader = {
      pause: (place) => void this.paused.push(place),
      resume: () => {},
      commit: (offsets) => this.commit(offsets),
      rejoin: () => {},
      // As every reader does: `revoked` comes first.
      stop: async () => this.events?.revoked(),
    };
    const readGroup = async (_: unknown, events: GroupReaderEvents): Promise<GroupReader> => {
      this.events = events;
      events.confirmed(performance.now());
      this.assign(partition, 1);
      this.early();
      return reader;
    };
    return { readGroup } as unknown as Driver;
  }

  /** The partition, and no other, is ours from now on. */
  assign(place: TopicPartition, generation: number): void {
    this.events?.assigned([{ ...place, offset: 0n, missed: 0n }], { member: 'm', generation });
  }

  message(offset: bigint, from: TopicPartition = partition): void {
    const record = { key: null, value: null, headers: [], timestamp: 0, offset };
    this.events?.records(from, [record], { next: offset + 1n, end: offset + 1n });
  }
}

async function consumer(
  group: Group,
  options: object,
  handler: (entry: Entry) => 'done' | Promise<'done'>,
): Promise<Consumer> {
  const settings = checkConsumeOptions({ group: 'g', handler: () => {}, ...options });
  const treatment = { trouble: undefined, of: (_: unknown, entry: Entry) => handler(entry) };
  const parts = { treatment, stats: { ...noStats }, guards: [], commits: offsetCommits } as unknown as ConsumerParts;
  return await Consumer.start(group.driver(), ['t'], settings, parts, new AbortController().signal);
}

test('whoever stops waits for handlers once, however long a rebalance would wait for them', async () => {
  const group = new Group();
  const began = Promise.withResolvers<void>();
  const options = { drain: 1, sessionTimeout: '1h', handOver: '30m' };
  const stopping = await consumer(group, options, () => {
    began.resolve();
    return new Promise(() => {});
  });
  group.message(0n);
  await began.promise;
  await stopping.stop();
  expect(stopping.health().status).toBe('fail');
});

test('says so when what is done cannot be committed, be it refused or never answered, and when it can be again', async () => {
  vi.useFakeTimers();
  const group = new Group();
  const working = await consumer(group, { sessionTimeout: '1s' }, () => 'done');
  const pass = async (ms: number): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms);
    group.events?.confirmed(performance.now());
  };
  const commit = group.commit;
  group.commit = () => Promise.reject(new Error('no coordinator'));
  group.message(0n);
  await pass(900);
  expect(working.health().status).toBe('pass');
  await pass(900);
  expect(working.health()).toMatchObject({ status: 'warn', detail: expect.stringContaining('no coordinator') });
  group.commit = commit;
  await pass(900);
  expect(working.health().status).toBe('pass');
  // Nothing is done that is to be committed.
  await pass(900);
  await pass(900);
  expect(working.health().status).toBe('pass');
  group.commit = () => new Promise(() => {});
  group.message(1n);
  await pass(900);
  await pass(900);
  expect(working.health()).toMatchObject({ status: 'warn', detail: expect.stringContaining('committed') });
});

test('a partition that was full before its reader was there is paused when it is', async () => {
  const group = new Group();
  group.early = () => group.message(0n);
  await using full = await consumer(group, { buffer: { messages: 1 }, drain: 1 }, () => new Promise(() => {}));
  expect(full.buffered.messages).toBe(1);
  expect(group.paused).toEqual([partition]);
});

test('of what the group gives to a consumer that is being stopped nothing begins', async () => {
  const group = new Group();
  const finish = Promise.withResolvers<'done'>();
  const begun: bigint[] = [];
  const stopping = await consumer(group, {}, ({ record }) => {
    begun.push(record.offset);
    return finish.promise;
  });
  group.message(0n);
  const stopped = stopping.stop();
  const other = { topic: 't', partition: 1 };
  group.assign(other, 2);
  group.message(1n, other);
  finish.resolve('done');
  await stopped;
  expect(begun).toEqual([0n]);
});
