import { expect, test } from 'vitest';
import { around } from './around.ts';

const failing = async (): Promise<never> => {
  throw new Error('the work failed');
};

test.each<[string, (work: () => Promise<unknown>) => unknown]>([
  ['does what it should', (work) => work()],
  [
    'throws before',
    () => {
      throw new Error('the tracer failed');
    },
  ],
  [
    'throws afterwards',
    async (work) => {
      await work().catch(() => {});
      throw new Error('the tracer failed');
    },
  ],
  ['does not call the work', () => undefined],
  ['calls it twice', (work) => Promise.allSettled([work(), work()])],
  [
    'gives something else',
    async (work) => {
      await work().catch(() => {});
      return 'something else';
    },
  ],
])('a trace that %s: the work is done once, and what comes of it is told', async (_, trace) => {
  let count = 0;
  const work = async (): Promise<string> => {
    count += 1;
    return 'done';
  };
  expect(await around<unknown>(trace, work)).toBe('done');
  expect(count).toBe(1);
  await expect(around<unknown>(trace, failing)).rejects.toThrow('the work failed');
});
