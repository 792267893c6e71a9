import { expect, test } from 'vitest';
import { eventually } from './eventually.ts';

test('looks until the condition gives something, and gives that', async () => {
  let looks = 0;
  const value = await eventually('three looks', () => ++looks === 3 && `after ${looks}`, { every: 1 });
  expect(value).toBe('after 3');
});

test('says what did not come, and why it last failed', async () => {
  const never = eventually('a leader', () => Promise.reject(new Error('connection refused')), { within: 20, every: 1 });
  await expect(never).rejects.toThrow('a leader: not within 20 ms: connection refused');
  await expect(never).rejects.toMatchObject({ code: 'deadline-exceeded', cause: new Error('connection refused') });
});

test('ends a look that hangs, by its signal, when the time is up', async () => {
  const hangs = (signal: AbortSignal): Promise<never> =>
    new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason)));
  await expect(eventually('an answer', hangs, { within: 20 })).rejects.toThrow('an answer: not within 20 ms');
});

test('stops at once when aborted', async () => {
  const stop = new AbortController();
  const reason = new Error('stop');
  const wait = eventually('never', () => false, { every: 60_000, signal: stop.signal });
  stop.abort(reason);
  await expect(wait).rejects.toBe(reason);
});
