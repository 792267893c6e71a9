import { BadVersionError, type Stat, type ZooKeeper } from '@quorate/zookeeper';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Cell } from './cell.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A node that somebody else has always just written: no server is that mean for long enough. */
function outrunning(): { zk: ZooKeeper; attempts: number[] } {
  const attempts: number[] = [];
  const zk = {
    sync: async () => undefined,
    get: async () => ({ data: Buffer.from('1'), stat: { version: attempts.length, czxid: 1n } as Stat }),
    set: async () => {
      attempts.push(Date.now());
      throw new BadVersionError({ operation: 'set', path: '/c' });
    },
  };
  return { zk: zk as unknown as ZooKeeper, attempts };
}

test('whoever is always outrun gives up in the end, with the certainty that nothing was written', async () => {
  const { zk, attempts } = outrunning();
  const cell = new Cell(zk, '/c', { what: 'a counter', word: 'counter' });
  const outcome = expect(cell.update((text) => `${text}1`, undefined)).rejects.toMatchObject({
    code: 'contended',
    retryable: true,
    message: expect.stringContaining('/c'),
  });
  await vi.runAllTimersAsync();
  await outcome;
  expect(attempts).toHaveLength(200);
  const pauses = attempts.slice(1).map((at, index) => at - (attempts[index] as number));
  expect(Math.max(...pauses)).toBeLessThanOrEqual(101);
  // Whoever has been outrun often does not give way more and more.
  expect(Math.max(...pauses.filter((_, index) => index % 6 === 0))).toBeLessThanOrEqual(5);
});

test('aborting ends the pause between two attempts, and leaves no timer', async () => {
  const { zk, attempts } = outrunning();
  const cell = new Cell(zk, '/c', { what: 'a counter', word: 'counter' });
  const controller = new AbortController();
  const reason = new Error('enough');
  const outcome = expect(cell.update(() => '2', controller.signal)).rejects.toBe(reason);
  while (attempts.length < 3) await vi.advanceTimersToNextTimerAsync();
  controller.abort(reason);
  await outcome;
  expect(vi.getTimerCount()).toBe(0);
});
