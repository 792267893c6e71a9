import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Cache } from './cache.ts';

// No Redis at all: what is tested here is the time of this process, which cannot be hurried on a server.
const redis = new Redis({ lazyConnect: true, host: '127.0.0.1', port: 1 }).on('error', () => {});
afterAll(() => redis.disconnect());
beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ['performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
    }),
);
afterEach(() => void vi.useRealTimers());

const minute = 60_000;

async function cacheOf(options: object): Promise<Cache> {
  const cache = new Cache({ redis, prefix: 'taxi', redisTimeout: 1, early: 0, ...options });
  // The first call finds out that there is no Redis.
  const first = cache.get('first', () => 1);
  await vi.advanceTimersByTimeAsync(10);
  await first;
  return cache;
}

test('24 hours of entries: none is given out after its end, and no more is kept than there is room for', async () => {
  const maxItems = 500;
  await using cache = await cacheOf({ ttl: '10m', local: { maxItems, trust: '1d' } });
  let oldest = 0;
  for (let passed = 0; passed < 24 * 60; passed += 1) {
    await vi.advanceTimersByTimeAsync(minute);
    for (let i = 0; i < 10; i += 1) {
      const key = `zone ${(passed * 7 + i * 13) % 1_000}`;
      const reading = cache.get(key, () => performance.now());
      await vi.advanceTimersByTimeAsync(1);
      oldest = Math.max(oldest, performance.now() - (await reading));
    }
    expect(cache.stats().local.items).toBeLessThanOrEqual(maxItems);
  }
  expect(oldest).toBeLessThanOrEqual(10 * minute + 2);
  expect(cache.stats()).toMatchObject({ local: { items: maxItems } });
  expect(cache.stats().local.evictions).toBeGreaterThan(1_000);
});

test.each([-365, -1, 1, 365])('a wall clock that jumps by %i days changes nothing', async (days) => {
  await using cache = await cacheOf({ ttl: '10m', stale: '5m', local: { trust: '1d' } });
  const get = async (value: string): Promise<string> => {
    const reading = cache.get('zone', () => value);
    await vi.advanceTimersByTimeAsync(1);
    return reading;
  };
  expect(await get('first')).toBe('first');
  vi.setSystemTime(Date.now() + days * 24 * 60 * minute);
  await vi.advanceTimersByTimeAsync(9 * minute);
  expect(await get('not yet')).toBe('first');
  await vi.advanceTimersByTimeAsync(2 * minute);
  // Stale: given out once more, while the next one is loaded.
  expect(await get('second')).toBe('first');
  expect(await get('not yet')).toBe('second');
  await vi.advanceTimersByTimeAsync(16 * minute);
  expect(await get('third')).toBe('third');
});
