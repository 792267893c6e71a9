import type { ReadOutcome, ReadRequest, ZooKeeper } from '@quorate/zookeeper';
import { expect, test } from 'vitest';
import { readSubtree } from './loading.ts';

test('where there is too much below a node, none of it is read', async () => {
  const asked: string[] = [];
  // A stand-in, to see what is asked for.
  const zk = {
    sync: async () => undefined,
    readMany: async (reads: readonly ReadRequest[]): Promise<ReadOutcome[]> =>
      reads.map((read) => {
        asked.push('get' in read ? read.get : read.children);
        if ('get' in read) return { data: Buffer.alloc(0), stat: {} as never };
        return { names: Array.from({ length: 1_000 }, (_, i) => `${i}`) };
      }),
  };
  const counts: number[] = [];
  const reading = readSubtree(
    zk as unknown as ZooKeeper,
    '/m',
    'everything',
    {
      node: () => undefined,
      all: () => undefined,
      expect: (count) => {
        counts.push(count);
        throw new Error('too much');
      },
    },
    new AbortController().signal,
  );
  await expect(reading).rejects.toThrow('too much');
  expect(counts).toEqual([1_001]);
  expect(asked).toEqual(['/m', '/m']);
});
