import { QuorateError } from '@quorate/core';
import type { ZooKeeper } from '@quorate/zookeeper';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pulse } from './pulse.ts';

// A stand-in for a session, of which only what a pulse needs is there: on a real ensemble, test/minority.test.ts.
const sessionTimeout = 10_000;

function session(sync: () => Promise<void>): { zk: ZooKeeper; asked: ReturnType<typeof vi.fn> } {
  const asked = vi.fn(sync);
  const zk = { sessionTimeout, sync: asked, lost: new AbortController().signal };
  return { zk: zk as unknown as ZooKeeper, asked };
}

const never = (): Promise<void> => new Promise(() => undefined);

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

test('without an answer, what is held is in doubt after half the session timeout, and says so once', async () => {
  const { zk, asked } = session(never);
  const doubt = vi.fn();
  Pulse.of(zk).hold(performance.now(), doubt);
  await vi.advanceTimersByTimeAsync(4_990);
  expect(doubt).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(20);
  expect(doubt).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(doubt).toHaveBeenCalledTimes(1);
  // A question that is not answered is not asked again and again.
  expect(asked).toHaveBeenCalledTimes(1);
});

test('with answers nothing is in doubt, and one is asked for in each fifth of the session timeout', async () => {
  const { zk, asked } = session(async () => undefined);
  const doubts = [vi.fn(), vi.fn()];
  for (const doubt of doubts) Pulse.of(zk).hold(performance.now(), doubt);
  await vi.advanceTimersByTimeAsync(60_000);
  for (const doubt of doubts) expect(doubt).not.toHaveBeenCalled();
  expect(asked.mock.calls.length).toBeGreaterThanOrEqual(25);
  expect(asked.mock.calls.length).toBeLessThanOrEqual(30);
});

test('an answer proves what was when it was asked for, not when it came', async () => {
  let answer = (): void => undefined;
  const { zk } = session(() => new Promise((resolve) => (answer = resolve)));
  const doubt = vi.fn();
  Pulse.of(zk).hold(performance.now(), doubt);
  // Asked after 2 seconds, answered after 4.9: certain until the 7th.
  await vi.advanceTimersByTimeAsync(4_900);
  answer();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(doubt).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  expect(doubt).toHaveBeenCalledTimes(1);
});

test('short holdings, one after the other, ask nothing that is worth mentioning', async () => {
  const { zk, asked } = session(async () => undefined);
  for (let time = 0; time < 1_000; time += 1) {
    const calm = Pulse.of(zk).hold(performance.now(), () => expect.unreachable());
    await vi.advanceTimersByTimeAsync(2);
    calm();
  }
  expect(asked.mock.calls.length).toBeLessThanOrEqual(1);
  expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
});

test('one that was proven longer ago is in doubt first, also when it comes later', async () => {
  const { zk } = session(never);
  const doubts: string[] = [];
  Pulse.of(zk).hold(performance.now(), () => doubts.push('first'));
  // The question is under way by then, and is not answered.
  await vi.advanceTimersByTimeAsync(2_100);
  Pulse.of(zk).hold(performance.now() - 4_000, () => doubts.push('second'));
  await vi.advanceTimersByTimeAsync(1_010);
  expect(doubts).toEqual(['second']);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(doubts).toEqual(['second', 'first']);
});

test('what is not held any more is not in doubt, and no timer is left after a while', async () => {
  const { zk } = session(never);
  const doubt = vi.fn();
  Pulse.of(zk).hold(performance.now(), doubt)();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(doubt).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test('a process that was stopped knows by the clock, before its timers have run', () => {
  const { zk } = session(async () => undefined);
  const doubt = vi.fn();
  Pulse.of(zk).hold(performance.now(), doubt);
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + 5_000);
  Pulse.of(zk).check();
  expect(doubt).toHaveBeenCalledTimes(1);
});

test('a failure is no answer', async () => {
  const { zk } = session(() => Promise.reject(new QuorateError('cut', { code: 'connection-lost' })));
  const doubt = vi.fn();
  Pulse.of(zk).hold(performance.now(), doubt);
  await vi.advanceTimersByTimeAsync(5_010);
  expect(doubt).toHaveBeenCalledTimes(1);
});

test('to look at one of very many holdings costs no more than to look at one', () => {
  const looks = (holdings: number): number => {
    const pulse = Pulse.of(session(never).zk);
    for (let count = 0; count < holdings; count += 1) pulse.hold(performance.now(), () => undefined);
    vi.useRealTimers();
    const times = Array.from({ length: 5 }, () => {
      const begin = performance.now();
      for (let look = 0; look < 1_000; look += 1) pulse.check();
      return performance.now() - begin;
    });
    return Math.min(...times);
  };
  expect(looks(20_000)).toBeLessThan(Math.max(10, 20 * looks(1)));
});
