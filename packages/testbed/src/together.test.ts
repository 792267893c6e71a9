import { sleep } from '@quorate/core';
import { expect, test } from 'vitest';
import { together } from './together.ts';

test('aborts the others when one fails, waits for them, and throws what failed first', async () => {
  const ended: string[] = [];
  const first = new Error('first');
  const work = async (name: string, signal: AbortSignal): Promise<void> => {
    if (name === 'fails') throw first;
    await sleep(60_000, { signal }).catch(() => {});
    ended.push(name);
    throw new Error('later');
  };
  await expect(together(['a', 'fails', 'b'], work)).rejects.toBe(first);
  expect(ended.sort()).toEqual(['a', 'b']);
});

test('passes an outer abort on', async () => {
  const stop = new AbortController();
  const reason = new Error('stop');
  const work = together([1, 2], (_, signal) => sleep(60_000, { signal }), stop.signal);
  stop.abort(reason);
  await expect(work).rejects.toBe(reason);
});
