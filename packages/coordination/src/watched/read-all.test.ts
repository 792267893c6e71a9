import { type ReadOutcome, type ReadRequest, ReplyTooLargeError, type ZooKeeper } from '@quorate/zookeeper';
import { expect, test } from 'vitest';
import { readAll } from './read-all.ts';

const limit = 1024 * 1024;

/** A stand-in for a server whose nodes are of this size: where a real one has them, the test takes minutes. */
function server(size: (path: string) => number): { zk: ZooKeeper; batches: number[]; atOnce: () => number } {
  const batches: number[] = [];
  let [now, most] = [0, 0];
  const readMany = async (reads: readonly ReadRequest[]): Promise<ReadOutcome[]> => {
    batches.push(reads.length);
    now += 1;
    most = Math.max(most, now);
    await new Promise(setImmediate);
    now -= 1;
    const outcomes = reads.map((read) => ({
      data: Buffer.alloc('get' in read ? size(read.get) : 0),
      stat: {} as never,
    }));
    const bytes = outcomes.reduce((sum, { data }) => sum + data.length, 0);
    if (bytes > limit) throw new ReplyTooLargeError('multiRead', bytes, limit);
    return outcomes;
  };
  return { zk: { readMany } as unknown as ZooKeeper, batches, atOnce: () => most };
}

const paths = (count: number): { get: string }[] => Array.from({ length: count }, (_, i) => ({ get: `/n/${i}` }));

async function indices(zk: ZooKeeper, reads: readonly ReadRequest[]): Promise<number[]> {
  const seen: number[] = [];
  await readAll(zk, reads, { signal: undefined, each: (index) => seen.push(index) });
  return seen.sort((a, b) => a - b);
}

test('small nodes are read many at a time, four requests at once, each node once', async () => {
  const { zk, batches, atOnce } = server(() => 20);
  expect(await indices(zk, paths(10_000))).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  expect(batches.length).toBeLessThan(50);
  expect(Math.max(...batches)).toBe(512);
  expect(atOnce()).toBe(4);
});

test('large nodes are read few at a time', async () => {
  const { zk, batches } = server(() => 100_000);
  expect(await indices(zk, paths(100))).toHaveLength(100);
  // After the first four, which could not know.
  expect(Math.max(...batches.slice(4))).toBeLessThanOrEqual(4);
});

test('where large nodes follow small ones, what was too large is asked for in halves', async () => {
  const { zk } = server((path) => (Number(path.slice(3)) < 2_000 ? 1 : 300_000));
  expect(await indices(zk, paths(2_200))).toEqual(Array.from({ length: 2_200 }, (_, i) => i));
});

test('a node that is too large by itself is an error, and no more is asked for', async () => {
  const { zk, batches } = server((path) => (path === '/n/0' ? 2 * limit : 1));
  await expect(indices(zk, paths(10_000))).rejects.toMatchObject({ code: 'reply-too-large' });
  expect(batches.reduce((sum, count) => sum + count, 0)).toBeLessThan(5_000);
});

test('long paths make short requests', async () => {
  const { zk, batches } = server(() => 0);
  const long = Array.from({ length: 400 }, (_, i) => ({ get: `/${'x'.repeat(10_000)}${i}` }));
  expect(await indices(zk, long)).toHaveLength(400);
  expect(Math.max(...batches)).toBeLessThan(15);
});
