import { afterEach, expect, test, vi } from 'vitest';
import type { Connection } from '../connection.ts';
import { Exchange } from './exchange.ts';
import { Requester } from './requester.ts';

const days = 86_400_000;

afterEach(() => void vi.useRealTimers());

test('a request waits for as long as it says, also when that is longer than a timer can be', async () => {
  vi.useFakeTimers();
  // Nobody is reached meanwhile.
  const connection = { open: () => new Promise(() => {}) } as unknown as Connection;
  const requester = new Requester(new Exchange('t', {}), connection);
  const request = requester.request('x', { timeout: '30d' });
  const outcome = request.catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(10);
  expect(requester.stats().pending).toBe(1);
  await vi.advanceTimersByTimeAsync(30 * days - 11);
  expect(requester.stats().pending).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await outcome).toMatchObject({ code: 'deadline-exceeded', message: expect.stringContaining('t: no reply') });
  expect(requester.stats().pending).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('who gives up gets the reason of the own signal, and leaves nothing behind', async () => {
  const connection = { open: () => new Promise(() => {}) } as unknown as Connection;
  const requester = new Requester(new Exchange('t', {}), connection);
  const giveUp = new AbortController();
  const request = requester.request('x', { signal: giveUp.signal });
  giveUp.abort(new Error('enough'));
  await expect(request).rejects.toThrow('enough');
  expect(requester.stats().pending).toBe(0);
});
