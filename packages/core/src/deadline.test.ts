import { getEventListeners } from 'node:events';
import { expect, test, vi } from 'vitest';
import { deadline, isQuorateError } from './index.ts';

const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason), { once: true }));

test('aborts with a typed reason when the time is up', async () => {
  const reason = await aborted(deadline(5).signal);
  expect(isQuorateError(reason, 'deadline-exceeded')).toBe(true);
  expect(String(reason)).toContain('5 ms');
});

test('passes the reason of the outer signal on, and drops its timer', async () => {
  const outer = new AbortController();
  const limit = deadline(60_000, outer.signal);
  const reason = new Error('stop');
  outer.abort(reason);
  expect(limit.signal.reason).toBe(reason);
});

test('is aborted from the start when the outer signal is', () => {
  const reason = new Error('before');
  expect(deadline(60_000, AbortSignal.abort(reason)).signal.reason).toBe(reason);
});

test('disposing leaves no listener on the outer signal and never aborts', () => {
  vi.useFakeTimers();
  const outer = new AbortController();
  const limit = deadline(1_000, outer.signal);
  expect(getEventListeners(outer.signal, 'abort')).toHaveLength(1);
  limit[Symbol.dispose]();
  expect(getEventListeners(outer.signal, 'abort')).toHaveLength(0);
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(10_000);
  outer.abort();
  expect(limit.signal.aborted).toBe(false);
  vi.useRealTimers();
});

test('leaves no listener behind when the time is up', () => {
  vi.useFakeTimers();
  const outer = new AbortController();
  const limit = deadline(1_000, outer.signal);
  vi.advanceTimersByTime(1_000);
  expect(limit.signal.aborted).toBe(true);
  expect(getEventListeners(outer.signal, 'abort')).toHaveLength(0);
  vi.useRealTimers();
});

test('ends after 25 days, which is longer than the longest timer of Node', () => {
  vi.useFakeTimers();
  const days = 24 * 3_600_000;
  using limit = deadline(25 * days);
  vi.advanceTimersByTime(25 * days - 1);
  expect(limit.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(limit.signal.aborted).toBe(true);
  vi.useRealTimers();
});

test('counts the time left down to 0, and accepts a time too long for a timer', () => {
  using long = deadline(2 ** 40);
  expect(long.signal.aborted).toBe(false);
  expect(long.remaining()).toBeGreaterThan(2 ** 39);
  using none = deadline(0);
  expect(none.remaining()).toBe(0);
});

test.each([-1, Number.NaN, undefined as never])('refuses %s milliseconds', (ms) => {
  expect(() => deadline(ms)).toThrow('ms: expected a number of milliseconds');
});

test('what is not a number of milliseconds is refused', () => {
  for (const ms of [Number.NaN, -1, '50' as unknown as number]) expect(() => deadline(ms)).toThrow(/^ms: expected/);
});
