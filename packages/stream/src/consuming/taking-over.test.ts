import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import type { Driver } from '../driver/driver.ts';
import type { GroupReader, GroupReaderEvents } from '../driver/group-reader.ts';
import { NotAMemberError } from '../errors/not-a-member-error.ts';
import { offsetCommits } from './commits.ts';
import { checkConsumeOptions } from './consume-options.ts';
import { Consumer, type ConsumerParts } from './consumer.ts';
import type { Entry, Outcome } from './entry.ts';
import type { Guard } from './guard.ts';
import { noStats } from './stats.ts';
import { Transactions } from './transactions.ts';

const partition = { topic: 't', partition: 0 };
const { signal } = new AbortController();

afterEach(() => void vi.restoreAllMocks());

/** A consumer, and the group that gives it one partition or takes it away, as the test says. */
async function consumer(handle: (entry: Entry) => Outcome | Promise<Outcome>, guards: readonly Guard[] = []) {
  let told: GroupReaderEvents | undefined;
  const reader = { pause: () => {}, resume: () => {}, commit: async () => {}, stop: async () => told?.revoked() };
  const readGroup = async (_: unknown, events: GroupReaderEvents): Promise<GroupReader> => {
    told = events;
    return reader as unknown as GroupReader;
  };
  const settings = checkConsumeOptions({ group: 'g', handler: () => {}, drain: 1, handOver: 1 });
  const treatment = { trouble: undefined, of: (_: unknown, entry: Entry) => handle(entry) };
  const parts = { treatment, stats: { ...noStats }, guards, commits: offsetCommits } as unknown as ConsumerParts;
  const started = await Consumer.start({ readGroup } as unknown as Driver, ['t'], settings, parts, signal);
  return Object.assign(started, {
    assign: (): void => {
      told?.confirmed(performance.now());
      told?.assigned([{ ...partition, offset: 0n, missed: 0n }], { member: 'm', generation: 1 });
    },
    confirm: (): void => told?.confirmed(performance.now()),
    lose: (): void => told?.lost(new NotAMemberError('g', 'UNKNOWN_MEMBER_ID')),
    /** Messages of one key at these offsets. */
    arrive: (...offsets: readonly bigint[]): void => {
      const records = offsets.map((offset) => ({
        key: Buffer.from('a'),
        value: null,
        headers: [],
        timestamp: 1,
        offset,
      }));
      const next = (offsets.at(-1) ?? -1n) + 1n;
      told?.records(partition, records, { next, end: next });
    },
  });
}

test('a process that stood still begins nothing before the group has confirmed it, and then goes on', async () => {
  // No timer has told it so.
  let now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const begun: bigint[] = [];
  await using one = await consumer(({ record }) => {
    begun.push(record.offset);
    return 'done';
  });
  one.assign();
  one.arrive(0n);
  now += 60_000;
  one.arrive(1n, 2n);
  expect(begun).toEqual([0n]);
  one.confirm();
  expect(begun).toEqual([0n, 1n, 2n]);
});

test('a key does not overlap with what still runs of it from before, however often its partition has come back', async () => {
  const ends: PromiseWithResolvers<Outcome>[] = [];
  await using one = await consumer(() => {
    const end = Promise.withResolvers<Outcome>();
    ends.push(end);
    return end.promise;
  });
  for (let time = 0; time < 3; time += 1) {
    one.assign();
    one.arrive(0n);
    await turn();
    expect(ends).toHaveLength(1);
    if (time < 2) one.lose();
  }
  ends[0]?.resolve('given-back');
  await vi.waitFor(() => expect(ends).toHaveLength(2));
  ends[1]?.resolve('done');
});

test('what a predecessor has committed before it was fenced is not handled again', async () => {
  const begun: bigint[] = [];
  const fenced = Promise.withResolvers<bigint>();
  const guard = { open: () => fenced.promise, close: () => {} };
  const handle = ({ record }: Entry): Outcome => {
    begun.push(record.offset);
    return 'done';
  };
  await using one = await consumer(handle, [guard]);
  one.assign();
  one.arrive(0n, 1n, 2n, 3n);
  fenced.resolve(2n);
  await vi.waitFor(() => expect(begun).not.toEqual([]));
  one.arrive(4n);
  expect(begun).toEqual([2n, 3n, 4n]);
  expect(one.lag().messages).toBe(0n);
});

test('the end of an earlier time of a partition does not close the transactor of a later one', async () => {
  const open = new Set<number>();
  let count = 0;
  const transactor = async (): Promise<unknown> => {
    const number = count;
    count += 1;
    open.add(number);
    return { close: async () => void open.delete(number) };
  };
  const driver = { transactor, admin: { committed: async () => [] } } as unknown as Driver;
  const transactions = new Transactions(driver, 'g');
  const assigned = { ...partition, offset: 0n, missed: 0n };
  const [earlier, later] = [new AbortController(), new AbortController()];
  await transactions.open(assigned, earlier.signal);
  await transactions.open(assigned, later.signal);
  transactions.close(partition, earlier.signal);
  expect(open.has(1)).toBe(true);
  transactions.close(partition, later.signal);
  expect(open.has(1)).toBe(false);
});
