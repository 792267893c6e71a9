import { QuorateError } from '@quorate/core';
import { eventually, Relay } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { Cache, type GetOptions } from '../src/index.ts';
import { type Caches, caches, clientOf, hearing } from './fixture.ts';

/** How long Redis may take: no wait of these tests comes near it. */
const redisTimeout = 5_000;

/** A cache whose Redis can fall silent, and how much was asked of it. */
interface Silenced {
  readonly cache: Cache;
  readonly asked: () => number;
  silence(): void;
}

async function withSilence(
  url: string,
  from: 'start' | 'later',
  work: (c: Caches, bed: Silenced) => Promise<void>,
): Promise<void> {
  let [silent, asked] = [from === 'start', 0];
  await using relay = await Relay.to(new URL(url).host, () => ({
    question: (bytes) => {
      if (/evalsha|\r\nget\r\n/i.test(String(bytes))) asked += 1;
    },
    answer: () => (silent ? 'hold' : 'pass'),
  }));
  await using c = caches(url);
  const through = new URL(url);
  through.host = relay.address;
  const own = clientOf(through.href);
  await using cache = new Cache({ redis: own, prefix: c.prefix, redisTimeout, heartbeat: 2_000, lease: '10s' });
  if (from === 'later') await hearing(cache);
  await work(c, {
    cache,
    asked: () => asked,
    silence: () => {
      silent = true;
    },
  });
  own.disconnect();
}

/** How it ended, and that it ended long before Redis's time was over. */
async function ending(work: () => Promise<unknown>): Promise<unknown> {
  const begin = performance.now();
  const outcome = await work().then(
    () => 'done',
    (error: QuorateError) => `${error.code}, ${(error.cause as QuorateError | undefined)?.code ?? 'no cause'}`,
  );
  expect(performance.now() - begin).toBeLessThan(redisTimeout - 2_000);
  return outcome;
}

const reads: Record<string, (cache: Cache, options: GetOptions<number>) => Promise<number>> = {
  get: (cache, options) => cache.get('a', () => 1, options),
  'get under a token': (cache, options) => cache.get('b', () => 1, { ...options, fence: 1n }),
  'get of a namespace': (cache, options) => cache.namespace('n').get('c', () => 1, options),
  'get of a namespace under a token': (cache, options) =>
    cache.namespace('n').get('d', () => 1, { ...options, fence: 1n }),
};

describe('`timeout` ends the wait, whatever is waited for:', () => {
  test('an answer of Redis. Under a token the bar may have been raised', async ({ servers }) => {
    await withSilence(servers.QUORATE_REDIS ?? '', 'later', async (_, { cache, silence }) => {
      silence();
      const ends = Object.entries(reads).map(async ([name, read]) => [
        name,
        await ending(() => read(cache, { timeout: 50 })),
      ]);
      expect(Object.fromEntries(await Promise.all(ends))).toEqual({
        get: 'deadline-exceeded, no cause',
        'get under a token': 'ambiguous, deadline-exceeded',
        'get of a namespace': 'deadline-exceeded, no cause',
        'get of a namespace under a token': 'ambiguous, deadline-exceeded',
      });
    });
  });

  test('a Redis that has never answered: nothing was sent', async ({ servers }) => {
    await withSilence(servers.QUORATE_REDIS ?? '', 'start', async (_, { cache, asked }) => {
      const timed = Object.values(reads).map((read) => ending(() => read(cache, { timeout: 50 })));
      expect(new Set(await Promise.all(timed))).toEqual(new Set(['deadline-exceeded, no cause']));
      const signal = AbortSignal.timeout(50);
      const aborted = [
        cache.set('a', 1, { signal }),
        cache.delete('a', { signal, fence: 1n }),
        cache.namespace('n').set('a', 1, { signal }),
      ].map((write) => ending(() => write));
      await Promise.all(aborted);
      for (const write of [() => cache.set('a', 1, { signal }), () => cache.namespace('n').delete('a', { signal })]) {
        await expect(write()).rejects.toBe(signal.reason);
      }
      expect(asked()).toBe(0);
    });
  });

  test('the loader, under a token: the bar was raised, and the load is given up', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache();
    await hearing(cache);
    const loads: AbortSignal[] = [];
    const hang = ({ signal }: { signal: AbortSignal }): Promise<never> => {
      loads.push(signal);
      return new Promise(() => {});
    };
    // Enough for a busy machine to begin both loads.
    const options = { fence: 1n, timeout: 800 };
    const ends = [cache, cache.namespace('n')].map((place) => ending(() => place.get('k', hang, options)));
    expect(new Set(await Promise.all(ends))).toEqual(new Set(['ambiguous, deadline-exceeded']));
    await eventually('the loads are told', () => loads.length === 2 && loads.every((signal) => signal.aborted));
  });
});

test('a call that is aborted once it was sent does not take over a reason that says that nothing happened', async ({
  servers,
}) => {
  await withSilence(servers.QUORATE_REDIS ?? '', 'later', async (_, { cache, asked, silence }) => {
    // A write need not ask for the clock first once a beat has been heard: then what is in the process is trusted.
    await eventually('it is trusted', async () => {
      await cache.get('before', () => 1);
      return cache.stats().hits.local > 0;
    });
    silence();
    const calls: ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => cache.set('a', 1, { signal }),
      (signal) => cache.setMany([['a', 1]], { signal }),
      (signal) => cache.delete('a', { signal }),
      (signal) => cache.invalidate({ tags: ['t'], signal }),
      (signal) => cache.namespace('n').moveTo('x', { signal }),
      (signal) => cache.namespace('n').set('x', 1, { fence: 1n, signal }),
      (signal) => cache.get('g', () => 1, { fence: 5n, signal }),
    ];
    for (const [index, call] of calls.entries()) {
      const before = asked();
      const controller = new AbortController();
      const calling = call(controller.signal);
      calling.catch(() => {});
      await eventually('it is sent', () => asked() > before);
      controller.abort(new QuorateError('stop', { code: 'other', happened: 'no', retryable: true }));
      await expect(calling, `call ${index}`).rejects.toMatchObject({ code: 'ambiguous', happened: 'unknown' });
    }
  });
});
