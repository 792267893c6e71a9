import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import type { LoadContext } from '../src/index.ts';
import { caches, clientOf, codeOf, counting, hearing } from './fixture.ts';

describe('stale values', () => {
  test.for([
    ['of this process', {}],
    ['of Redis', { local: false }],
  ] as const)('%s are given out at once while one load replaces them', async ([, options], { servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ ttl: 100, stale: '1m', early: 0, ...options });
    await hearing(cache);
    await cache.get('zone', () => 'old');
    const { promise, resolve } = Promise.withResolvers<string>();
    let calls = 0;
    const load = (): Promise<string> => {
      calls += 1;
      return promise;
    };
    await eventually('it is stale', async () => {
      expect(await cache.get('zone', load)).toBe('old');
      return cache.stats().staleServed > 0;
    });
    for (let i = 0; i < 20; i += 1) expect(await cache.get('zone', load)).toBe('old');
    await eventually('it is loaded anew', () => calls === 1);
    resolve('new');
    await eventually('the new one is there', async () => (await cache.get('zone', () => 'newer')) !== 'old');
    expect(calls).toBe(1);
  });

  test('the refresh of one process is taken over by the others, which do not load', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const all = await Promise.all([1, 2, 3, 4].map(() => c.cache({ ttl: 200, stale: '1m', early: 0 })));
    await hearing(...all);
    await Promise.all(all.map((cache) => cache.get('zone', () => 'old')));
    const { promise, resolve } = Promise.withResolvers<string>();
    const load = (context: LoadContext): Promise<string> => {
      context.keep({ ttl: '1m' });
      return promise;
    };
    await eventually('it is stale for all', async () => {
      await Promise.all(all.map((cache) => cache.get('zone', load)));
      return all.every((cache) => cache.stats().staleServed > 0);
    });
    await eventually('one loads', () => all.some((cache) => cache.stats().loads.started > 0));
    resolve('new');
    const values = (): Promise<string[]> => Promise.all(all.map((cache) => cache.get('zone', load)));
    await eventually('all have the new one', async () => (await values()).every((value) => value === 'new'));
    // One for the old value, one for the new one.
    expect(all.reduce((sum, cache) => sum + cache.stats().loads.started, 0)).toBe(2);
  });

  test('when loading fails they go on being given out, the origin is asked less and less, and health tells', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const options = { ttl: 50, stale: '1m', early: 0, origin: { breakAfter: 2, breakFor: '10m' } } as const;
    const cache = await c.cache(options);
    await hearing(cache);
    await cache.get('zone', () => 'old');
    const calls: number[] = [];
    const fail = (): never => {
      calls.push(performance.now());
      throw new Error('the origin is ill');
    };
    await eventually('the breaker opens', async () => {
      expect(await cache.get('zone', fail)).toBe('old');
      return cache.health().status === 'warn';
    });
    expect(calls).toHaveLength(2);
    const [first = 0, second = 0] = calls;
    expect(second - first).toBeGreaterThan(900);
    expect(cache.health()).toMatchObject({
      parts: { origin: { status: 'warn', detail: 'loading fails: the origin' } },
    });
    await expect(cache.get('other', fail)).rejects.toMatchObject({
      code: 'origin-unavailable',
      retryable: true,
      cause: { message: 'the origin is ill' },
    });
    expect(calls).toHaveLength(2);
    expect(await cache.get('zone', fail)).toBe('old');
    // Another origin has a breaker of its own.
    expect(await cache.get('third', () => 'well', { origin: 'healthy' })).toBe('well');
  });

  test('the breaker lets one through after a while, and closes when that succeeds', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ origin: { breakAfter: 1, breakFor: 50 } });
    const fail = (): never => {
      throw new Error('the origin is ill');
    };
    await expect(cache.get('a', fail)).rejects.toThrow('ill');
    await eventually('it is tried again', async () => (await cache.get('a', () => 'well')) === 'well');
    await hearing(cache);
  });

  test.for([
    [400, 0],
    [200, 300],
  ] as const)(
    'fresh for %i ms and stale for %i: a copy in a process does not outlive the one in Redis',
    async ([ttl, stale], { servers }) => {
      await using c = caches(servers.QUORATE_REDIS ?? '');
      const [a, b] = [await c.cache({ ttl, stale, early: 0 }), await c.cache({ ttl, stale, early: 0 })];
      await hearing(a, b);
      const never = (): Promise<string> => new Promise(() => {});
      await a.get('zone', () => 'old');
      const loaded = performance.now();
      // Taken over late in its life: it keeps the end it has.
      await eventually('half of its life is over', () => performance.now() - loaded > ttl / 2, { every: 5 });
      let last = 0;
      await eventually('it is long over', async () => {
        const before = performance.now();
        const value = await b.get('zone', never, { timeout: 50 }).catch(() => undefined);
        if (value === 'old') last = before;
        return before - loaded > 2 * (ttl + stale);
      });
      expect(last).toBeGreaterThan(loaded);
      // The clocks of Redis and process are compared over the network: a few milliseconds.
      expect(last - loaded).toBeLessThan(ttl + stale + 50);
    },
  );

  test('a value older than local.ttl is asked for in Redis again', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [cache, other] = [await c.cache({ stale: '1m', local: { ttl: 150 } }), await c.cache()];
    await hearing(cache, other);
    await cache.get('zone', () => 'old');
    await other.set('another', 'new');
    expect(await cache.get('zone', () => 'not needed')).toBe('old');
    // Behind everybody's back: nobody is told.
    await c.redis.rename(`${c.prefix}:{another}`, `${c.prefix}:{zone}`);
    await eventually('it is seen', async () => (await cache.get('zone', () => 'not needed')) === 'new');
    expect(cache.stats()).toMatchObject({ staleServed: 0, loads: { started: 1 } });
  });
});

describe('early refresh', () => {
  test('a value that takes long to load is loaded anew before it ends, by one, while all get the old one', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const all = await Promise.all([1, 2].map(() => c.cache({ ttl: 1_500, early: 4 })));
    await hearing(...all);
    const { load, calls } = counting();
    const slow = async (): Promise<number> => {
      const number = await load();
      await new Promise((resolve) => setTimeout(resolve, 200));
      return number;
    };
    await Promise.all(all.map((cache) => cache.get('zone', slow)));
    let longest = 0;
    await eventually(
      'it was refreshed',
      async () => {
        for (const cache of all) {
          const begin = performance.now();
          await cache.get('zone', slow);
          longest = Math.max(longest, performance.now() - begin);
        }
        return calls() > 1;
      },
      { every: 2 },
    );
    expect(all.reduce((sum, cache) => sum + cache.stats().misses, 0)).toBe(2);
    // Nobody waits for the load.
    expect(longest).toBeLessThan(150);
  });

  // At the same time: they wait for lives to be over.
  test.concurrent.for([
    ['in this process', {}],
    ['in Redis', { local: false }],
  ] as const)(
    'however often a value %s is asked for, it is loaded anew about once in its life',
    async ([, options], { servers }) => {
      await using c = caches(servers.QUORATE_REDIS ?? '');
      const ttl = 200;
      const cache = await c.cache({ ttl, ...options });
      await hearing(cache);
      let loads = 0;
      const slow = async (): Promise<number> => {
        loads += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        return loads;
      };
      const begin = performance.now();
      await eventually(
        'ten lives are over',
        async () => {
          for (let i = 0; i < 50; i += 1) await cache.get('zone', slow);
          return loads > 10;
        },
        { every: 0 },
      );
      // Each begins a load time before the end of the last, give or take.
      expect(performance.now() - begin).toBeGreaterThan(10 * ttl * 0.6);
      expect(cache.stats().refreshes).toBeGreaterThan(3);
    },
  );

  test('0 turns it off', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ ttl: 400, early: 0 });
    await hearing(cache);
    const { load, calls } = counting();
    const begin = performance.now();
    await cache.get('zone', load);
    await eventually(
      'it ended',
      async () => {
        await cache.get('zone', load);
        return calls() > 1;
      },
      { every: 2 },
    );
    expect(performance.now() - begin).toBeGreaterThan(390);
    expect(cache.stats()).toMatchObject({ refreshes: 0, misses: 2 });
  });
});

describe('writing', () => {
  test('what one process writes or deletes, the others see within a moment', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const all = await Promise.all([1, 2, 3].map(() => c.cache()));
    await hearing(...all);
    const [first] = all;
    const delays: number[] = [];
    for (let round = 1; round <= 30; round += 1) {
      await first?.set('zone', round);
      expect(await first?.get('zone', () => -1)).toBe(round);
      const begin = performance.now();
      const values = (): Promise<number[]> => Promise.all(all.map((cache) => cache.get('zone', () => -1)));
      await eventually('all see it', async () => (await values()).every((value) => value === round), { every: 1 });
      delays.push(performance.now() - begin);
    }
    // On a busy machine one or the other may take longer.
    expect(delays.sort((a, b) => a - b)[15]).toBeLessThan(100);
    await first?.delete('zone');
    await eventually('all have forgotten it', async () =>
      (await Promise.all(all.map((cache) => cache.get('zone', () => 'new')))).every((value) => value === 'new'),
    );
  });

  test('a load that began before a write or a delete is not kept', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache(), await c.cache()];
    for (const change of ['set', 'delete'] as const) {
      const { promise, resolve } = Promise.withResolvers<string>();
      const began = Promise.withResolvers<void>();
      const loading = a.get(change, () => {
        began.resolve();
        return promise;
      });
      await began.promise;
      await (change === 'set' ? b.set(change, 'written') : b.delete(change));
      resolve('loaded from what was before');
      expect(await loading).toBe('loaded from what was before');
      const expected = change === 'set' ? 'written' : 'loaded after';
      for (const cache of [a, b]) expect(await cache.get(change, () => 'loaded after')).toBe(expected);
    }
  });

  test('what was read before a write and arrives after the word of it is given out, and not kept', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const redis = clientOf(servers.QUORATE_REDIS ?? '');
    const [slow, other] = [await c.cache({ redis }), await c.cache()];
    await hearing(slow, other);
    await other.set('zone', 'old');
    await other.set('marker', 'old');
    await slow.get('marker', () => 'not needed');
    // The answer of Redis is held up, while the connection for changes is not.
    const { promise, resolve } = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const read = redis.getBuffer.bind(redis) as (key: string) => Promise<Buffer | null>;
    redis.getBuffer = (async (key: string) => {
      const answer = await read(key);
      arrived.resolve();
      await promise;
      return answer;
    }) as typeof redis.getBuffer;
    const reading = slow.get('zone', () => 'not needed');
    await arrived.promise;
    redis.getBuffer = read as typeof redis.getBuffer;
    await other.set('zone', 'new');
    await other.set('marker', 'new');
    await eventually('it has heard', async () => (await slow.get('marker', () => 'not needed')) === 'new');
    resolve();
    expect(await reading).toBe('old');
    expect(await slow.get('zone', () => 'not needed')).toBe('new');
    redis.disconnect();
  });

  test('what was read while a write was on its way is not kept beyond it', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const redis = clientOf(servers.QUORATE_REDIS ?? '');
    const [slow, other] = [await c.cache({ redis, redisTimeout: '20s' }), await c.cache()];
    await hearing(slow, other);
    await other.set('zone', 'old');
    const [leaving, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const send = redis.evalsha.bind(redis) as (...args: never[]) => Promise<unknown>;
    const held = async (...args: never[]): Promise<unknown> => {
      leaving.resolve();
      await gate.promise;
      return await send(...args);
    };
    Object.assign(redis, { evalsha: held });
    const deleting = slow.delete('zone');
    await leaving.promise;
    await eventually('it is kept', async () => {
      expect(await slow.get('zone', () => 'not needed')).toBe('old');
      return slow.stats().hits.local > 0;
    });
    Object.assign(redis, { evalsha: send });
    gate.resolve();
    await deleting;
    expect(await slow.get('zone', () => 'new')).toBe('new');
    redis.disconnect();
  });

  test('nothing written under a token is overwritten under an older one, not even after it was deleted', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache({ local: false }), await c.cache({ local: false })];
    const large = 2n ** 64n;
    await a.set('zone', 'by 9', { fence: 9n });
    await a.set('zone', 'by 10', { fence: 10n });
    await expect(b.set('zone', 'by 9', { fence: 9n })).rejects.toMatchObject({
      code: 'fenced',
      key: 'zone',
      token: 9n,
    });
    await a.set('zone', 'by the same', { fence: 10n });
    await a.set('zone', 'by a large one', { fence: large });
    expect(await codeOf(b.set('zone', 'older', { fence: large - 1n }))).toBe('fenced');
    expect(await codeOf(b.delete('zone', { fence: large - 1n }))).toBe('fenced');
    expect(await b.get('zone', () => 'not needed')).toBe('by a large one');
    await a.delete('zone');
    expect(await codeOf(b.get('zone', () => 'by an older leader', { fence: large - 1n }))).toBe('fenced');
    expect(await a.get('zone', () => 'loaded', { fence: large })).toBe('loaded');
  });

  test.for([
    ['in the memory of both processes', {}],
    ['in Redis', { local: false }],
  ] as const)(
    'read(1) read(2) write(1) write(2) loses no update of a value %s: reading under a token raises the bar',
    async ([, options], { servers }) => {
      await using c = caches(servers.QUORATE_REDIS ?? '');
      const [former, next] = [await c.cache(options), await c.cache(options)];
      await hearing(former, next);
      await former.set('rides', 0);
      for (const cache of [former, next]) expect(await cache.get('rides', () => -1)).toBe(0);
      const [old, seen] = [
        await former.get<number>('rides', () => -1, { fence: 1n }),
        await next.get<number>('rides', () => -1, { fence: 2n }),
      ];
      expect(await codeOf(former.set('rides', old + 1, { fence: 1n }))).toBe('fenced');
      await next.set('rides', seen + 1, { fence: 2n });
      expect(await codeOf(former.get('rides', () => -1, { fence: 1n }))).toBe('fenced');
      expect(await former.get('rides', () => -1, { fence: 3n })).toBe(1);
    },
  );

  test('what an older leader loads is neither kept nor given to a newer one that asks meanwhile', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [former, next] = [await c.cache(), await c.cache()];
    await hearing(former, next);
    const { promise, resolve } = Promise.withResolvers<string>();
    const began = Promise.withResolvers<void>();
    const old = former.get(
      'dataset',
      () => {
        began.resolve();
        return promise;
      },
      { fence: 1n },
    );
    await began.promise;
    // In the process of the older leader itself as well as in another.
    const newer = [next, former].map((cache) => cache.get('dataset', () => 'by 2', { fence: 2n }));
    await eventually('the bar is raised', async () => (await c.redis.get(`${c.prefix}:{dataset}:fence`)) === '2');
    resolve('by 1');
    expect(await codeOf(old)).toBe('fenced');
    expect(await Promise.all(newer)).toEqual(['by 2', 'by 2']);
  });

  test('a read under a token says so when the bar cannot be raised: Redis is away', async () => {
    await using c = caches('redis://127.0.0.1:1');
    const cache = await c.cache({ redisTimeout: 50 });
    expect(await cache.get('rides', () => 'loaded')).toBe('loaded');
    expect(await codeOf(cache.get('rides', () => 'loaded', { fence: 1n }))).toBe('redis-unavailable');
    expect(cache.stats()).toMatchObject({ hits: { local: 0, redis: 0 }, misses: 2, staleServed: 0 });
    // Who joins late, as all do while nothing is heard, counts in a failure too.
    const failing = [1, 2, 3].map(() => codeOf(cache.get('ill', () => Promise.reject(new TypeError('no')))));
    expect(await Promise.all(failing)).toEqual(['TypeError', 'TypeError', 'TypeError']);
    expect(cache.stats()).toMatchObject({ misses: 5, loads: { started: 2 } });
  });
});

describe('stats and diagnostics', () => {
  test('each caller is told of once, loads are traced, and no value is part of it', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const { subscribe, unsubscribe, tracingChannel } = await import('node:diagnostics_channel');
    const told: unknown[] = [];
    const hear = (message: unknown): void => void told.push(message);
    for (const name of ['get', 'invalidate', 'state']) subscribe(`quorate.cache.${name}`, hear);
    const loads = tracingChannel('quorate.cache.load');
    const ends: unknown[] = [];
    const subscribers = {
      start: hear,
      end: () => {},
      asyncStart: () => {},
      asyncEnd: (message: unknown) => void ends.push(message),
      error: hear,
    };
    loads.subscribe(subscribers as never);
    const [a, b] = [await c.cache(), await c.cache()];
    await hearing(a, b);
    await a.get('zone', () => 'hunter2', { origin: 'db' });
    await a.get('zone', () => 'hunter2');
    await b.get('zone', () => 'hunter2');
    await a.getMany(['one', 'two'], (keys) => new Map(keys.map((key) => [key, 'hunter2'])), { origin: 'db' });
    await a.invalidate({ tags: ['t'] });
    for (const name of ['get', 'invalidate', 'state']) unsubscribe(`quorate.cache.${name}`, hear);
    loads.unsubscribe(subscribers as never);
    const cache = c.prefix;
    for (const outcome of ['load', 'local', 'redis']) expect(told).toContainEqual({ cache, key: 'zone', outcome });
    expect(told).toContainEqual({ cache, redis: 'answers' });
    expect(told).toContainEqual({ cache, tags: ['t'] });
    for (const keys of [['zone'], ['one', 'two']])
      expect(ends).toContainEqual(expect.objectContaining({ cache, keys, origin: 'db' }));
    expect(ends).toHaveLength(2);
    expect(JSON.stringify(told)).not.toContain('hunter2');
    expect(a.stats().latency.load.count).toBe(2);
    expect(a.stats().latency.redis.count).toBeGreaterThan(0);
    expect(a.stats().latency.redis.p99).toBeGreaterThan(0);
  });
});
