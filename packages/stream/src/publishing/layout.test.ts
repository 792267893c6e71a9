import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Admin } from '../driver/admin.ts';
import { Layout } from './layout.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The layout of a cluster that is none: its only topic has the leaders that the test says. */
function layoutOf(leaders: readonly number[] | undefined) {
  const cluster = { leaders, asked: 0 };
  const admin = {
    leaders: async () => {
      cluster.asked += 1;
      return cluster.leaders;
    },
  } as unknown as Admin;
  return { cluster, layout: new Layout(admin, new AbortController().signal) };
}

test('what is old is asked for behind the caller’s back, and what is not old is not', async () => {
  const { cluster, layout } = layoutOf([1]);
  expect(await layout.of('t')).toEqual([1]);
  cluster.leaders = [1, 2];
  await vi.advanceTimersByTimeAsync(5 * 60_000);
  expect(layout.known('t')).toEqual([1]);
  expect(cluster.asked).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(layout.known('t')).toEqual([1]);
  await vi.advanceTimersByTimeAsync(0);
  expect(layout.known('t')).toEqual([1, 2]);
  expect(cluster.asked).toBe(2);
});

test('a topic that is gone is not known any more, and is known again when it is there', async () => {
  const { cluster, layout } = layoutOf([1]);
  await layout.of('t');
  cluster.leaders = undefined;
  await expect(layout.fresh('t')).rejects.toMatchObject({ code: 'unknown-topic' });
  expect(layout.known('t')).toBe(undefined);
  await expect(layout.of('t')).rejects.toMatchObject({ code: 'unknown-topic' });
  cluster.leaders = [3];
  expect(await layout.of('t')).toEqual([3]);
});
