import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoff, sleep } from './index.ts';

test('doubles from min to max', () => {
  const delays = backoff({ min: 10, max: 100, jitter: 0 });
  expect(Array.from({ length: 6 }, () => delays.next())).toEqual([10, 20, 40, 80, 100, 100]);
  delays.reset();
  expect(delays.next()).toBe(10);
});

test('stays within its bounds whatever chance says, for ever', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 0, max: 1e6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(3000),
      (min, extra, jitter, skip) => {
        const delays = backoff({ min, max: min + extra, jitter, random: () => 0.999_999 });
        for (let i = 0; i < skip; i += 1) delays.next();
        const delay = delays.next();
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(min + extra);
      },
    ),
    { seed: 7 },
  );
});

test('the same chance gives the same delays', () => {
  const chance = (): (() => number) => {
    let x = 7;
    return () => {
      x = (x * 16_807) % 2_147_483_647;
      return x / 2_147_483_647;
    };
  };
  const take = (): number[] => {
    const delays = backoff({ min: 1, max: 1000, random: chance() });
    return Array.from({ length: 10 }, () => delays.next());
  };
  expect(take()).toEqual(take());
});

test.each([
  [{ min: 0, max: 1 }, 'min: expected'],
  [{ min: 5, max: 1 }, 'max: expected a number of at least min (5), got 1'],
  [{ min: 1, max: 2, jitter: 2 }, 'jitter: expected a number from 0 to 1, got 2'],
])('refuses %j', (options, message) => {
  expect(() => backoff(options)).toThrow(message);
});

test('an aborted wait rejects with the reason and leaves no listener behind', async () => {
  const controller = new AbortController();
  const wait = backoff({ min: 60_000, max: 60_000 }).wait({ signal: controller.signal });
  const reason = new Error('stop');
  controller.abort(reason);
  await expect(wait).rejects.toBe(reason);
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
});

test('a finished sleep leaves no listener behind', async () => {
  const { signal } = new AbortController();
  await sleep(1, { signal });
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});
