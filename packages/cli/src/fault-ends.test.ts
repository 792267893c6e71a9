import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FaultEnds } from './fault-ends.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const nothing = async (): Promise<void> => {};

test('a fault ends when its time is over, unless something else was done to the same part', async () => {
  const ends = new FaultEnds();
  const [first, second] = [vi.fn(nothing), vi.fn(nothing)];
  ends.plan('redis-1', 'pause', performance.now() + 300, first);
  ends.plan('redis-2', 'pause', performance.now() + 300, second);
  await ends.replace(['redis-1'], nothing);
  vi.advanceTimersByTime(300);
  expect(first).not.toHaveBeenCalled();
  expect(second).toHaveBeenCalledOnce();
});

test('what was done instead and failed leaves the end as it was planned, late if need be', async () => {
  const ends = new FaultEnds();
  const [first, second] = [vi.fn(nothing), vi.fn(nothing)];
  ends.plan('redis-1', 'kill', performance.now() + 300, first);
  ends.plan('redis-2', 'kill', performance.now() + 100, second);
  const failing = ends.replace(['redis-1', 'redis-2'], async () => {
    vi.advanceTimersByTime(200);
    throw new Error('refused');
  });
  await expect(failing).rejects.toThrow('refused');
  vi.advanceTimersByTime(1);
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
  vi.advanceTimersByTime(99);
  expect(first).toHaveBeenCalledOnce();
});

test('a killed server is told apart from what healing ends', () => {
  const ends = new FaultEnds();
  ends.plan('redis-1', 'kill', performance.now() + 100, nothing);
  ends.plan('redis-2', 'pause', performance.now() + 100, nothing);
  expect(ends.partsExcept('kill')).toEqual(['redis-2']);
});
