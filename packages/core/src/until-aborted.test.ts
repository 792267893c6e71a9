import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { untilAborted } from './until-aborted.ts';

const never = new Promise<never>(() => {});

test('what the work comes to, while no signal aborts; no listener is left', async () => {
  const { signal } = new AbortController();
  expect(await untilAborted(Promise.resolve(1), signal, undefined)).toBe(1);
  await expect(untilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('the reason of the first signal that aborts, also of one that has before', async () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const waiting = untilAborted(never, one.signal, other.signal);
  other.abort('other');
  one.abort('one');
  await expect(waiting).rejects.toBe('other');
  await expect(untilAborted(never, one.signal)).rejects.toBe('one');
});
