import { tracingChannel } from 'node:diagnostics_channel';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { connect, type TracedRequest, type ZooKeeper } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { DoubleBarrier, Queue, Semaphore } from '../src/index.ts';

const test = bedTest({ zookeeper: 1 });

/** How many requests each session has sent while `work` was done. */
async function requestsOf(work: () => Promise<void>): Promise<(zk: ZooKeeper) => number> {
  const requests = tracingChannel<TracedRequest, TracedRequest>('quorate.zookeeper.request');
  const counts = new Map<bigint, number>();
  const start = ({ sessionId }: TracedRequest): void => void counts.set(sessionId, (counts.get(sessionId) ?? 0) + 1);
  requests.subscribe({ start } as never);
  try {
    await work();
  } finally {
    requests.unsubscribe({ start } as never);
  }
  return (zk) => counts.get(zk.id) ?? 0;
}

test('one item wakes one taker, and costs the same number of requests however many wait', async ({ bed }) => {
  const cost = async (waiting: number): Promise<number> => {
    await using stack = new AsyncDisposableStack();
    const open = async (): Promise<ZooKeeper> => stack.use(await connect(bed.zookeeper.url));
    const path = `/costs-${waiting}`;
    const putter = await open();
    const queue = new Queue(putter, path);
    const sessions: ZooKeeper[] = [];
    const takes: ReturnType<Queue['take']>[] = [];
    // The first in line watches two lists, each of the others the one before it, and who has an item its claim.
    const watches = (count: number): Promise<boolean> =>
      eventually(`${count} watches`, async () => (await bed.zookeeper.figure('zk_watch_count')) === count);
    for (let i = 0; i < waiting; i += 1) {
      const zk = await open();
      const take = new Queue(zk, path).take();
      sessions.push(zk);
      takes.push(take);
      take.catch(() => undefined);
      await watches(i + 2);
    }
    const [first, second] = takes;
    await queue.put(1);
    await (await first)?.done();
    await watches(waiting);
    const count = await requestsOf(async () => {
      await queue.put(2);
      const item = await second;
      await watches(waiting);
      await item?.done();
      await watches(waiting - 1);
    });
    const each = sessions.map(count);
    expect(each.filter((requests) => requests > 0)).toHaveLength(2);
    expect(count(putter)).toBe(2);
    return each.reduce((sum, requests) => sum + requests, 0);
  };
  const few = await cost(3);
  const many = await cost(25);
  // Two events that arrive apart cost a request more than two that arrive together.
  expect(Math.abs(many - few), `${few} and ${many}`).toBeLessThanOrEqual(4);
  expect(many).toBeLessThanOrEqual(24);
});

test('a double barrier costs each participant the same number of requests, few or many', async ({ bed }) => {
  await using stack = new AsyncDisposableStack();
  const perParticipant: number[] = [];
  for (const size of [4, 24]) {
    const sessions: ZooKeeper[] = [];
    for (let i = 0; i < size; i += 1) sessions.push(stack.use(await connect(bed.zookeeper.url)));
    const all = sessions.map((zk) => new DoubleBarrier(zk, `/costs-of-${size}`, { size }));
    const count = await requestsOf(async () => {
      await Promise.all(all.map((each) => each.enter()));
      await Promise.all(all.map((each) => each.leave()));
    });
    const total = sessions.map(count).reduce((sum, requests) => sum + requests, 0);
    perParticipant.push(total / size);
  }
  const [few, many] = perParticipant as [number, number];
  expect(many).toBeLessThanOrEqual(few * 1.5);
  expect(many).toBeLessThanOrEqual(20);
});

test('that all agree on a number costs nothing once it is known: six requests for a permit, and none for a round', async ({
  bed,
}) => {
  await using zk = await connect(bed.zookeeper.url);
  await using other = await connect(bed.zookeeper.url);
  const semaphore = new Semaphore(zk, '/costs-of-permits', { permits: 2 });
  const cost = async (): Promise<number> =>
    (
      await requestsOf(async () => {
        const before = (await zk.children('/costs-of-permits/locks')).stat.cversion;
        await (await semaphore.acquire()).release();
        // The turn is given back behind our back.
        await eventually('its turn is over', async () => {
          const { names, stat } = await other.children('/costs-of-permits/locks');
          return names.length === 0 && stat.cversion === before + 2;
        });
      })
    )(zk) - 1;
  await (await semaphore.acquire()).release();
  expect([await cost(), await cost()]).toEqual([6, 6]);
  await new Semaphore(other, '/costs-of-permits', { permits: 2 }).resize(3);
  expect([await cost(), await cost()]).toEqual([7, 6]);

  const barriers = [zk, other].map((each) => new DoubleBarrier(each, '/costs-of-agreeing', { size: 2 }));
  const readsOfSize = async (): Promise<number> => {
    let reads = 0;
    const requests = tracingChannel<TracedRequest, TracedRequest>('quorate.zookeeper.request');
    const start = ({ operation, path }: TracedRequest): void => {
      if (operation === 'get' && path === '/costs-of-agreeing') reads += 1;
    };
    requests.subscribe({ start } as never);
    await Promise.all(barriers.map((each) => each.enter()));
    await Promise.all(barriers.map((each) => each.leave()));
    requests.unsubscribe({ start } as never);
    return reads;
  };
  expect(await readsOfSize()).toBeGreaterThan(0);
  expect([await readsOfSize(), await readsOfSize()]).toEqual([0, 0]);
});
