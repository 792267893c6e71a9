import { setTimeout as pause } from 'node:timers/promises';
import { InvalidArgumentError } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { caches, codeOf } from './fixture.ts';

/** What clients of HTTP throw. */
const failing = (fields: object, message = 'no'): (() => never) => {
  return () => {
    throw Object.assign(new Error(message), fields);
  };
};

describe('what opens the breaker', () => {
  test.for([
    ['status 400', failing({ status: 400 })],
    ['statusCode 404', failing({ statusCode: 404 })],
    ['response.status 422', failing({ response: { status: 422 } })],
    ['response.statusCode 403', failing({ response: { statusCode: 403 } })],
    ['an argument that is no good', failing({}, 'x')],
    ['an aborted request of the caller', failing({ name: 'AbortError' })],
  ] as const)('not a bad question: %s', async ([name, load], { servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ origin: { breakAfter: 2, breakFor: '10m' } });
    const bad = name.startsWith('an argument')
      ? (): never => {
          throw new InvalidArgumentError('id', 'a number', 'x');
        }
      : load;
    for (let i = 0; i < 5; i += 1) expect(await codeOf(cache.get(`bad ${i}`, bad))).not.toBe('origin-unavailable');
    expect(await cache.get('good', () => 'well')).toBe('well');
    expect(cache.health().parts?.origin?.status).toBe('pass');
    expect(cache.stats().loads).toMatchObject({ started: 6, failed: 5, refused: 0 });
  });

  test.for([
    ['status 500', failing({ status: 500 })],
    ['status 408', failing({ status: 408 })],
    ['status 429', failing({ statusCode: 429 })],
    ['no status', failing({ code: 'ECONNREFUSED' })],
    [
      'what fetch throws without a connection',
      (): never => {
        throw new TypeError('fetch failed');
      },
    ],
  ] as const)('a failure of the origin: %s', async ([, load], { servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ origin: { breakAfter: 2, breakFor: '10m' } });
    for (let i = 0; i < 2; i += 1) await codeOf(cache.get(`bad ${i}`, load));
    expect(await codeOf(cache.get('good', () => 'well'))).toBe('origin-unavailable');
    expect(cache.health().parts?.origin?.status).toBe('warn');
  });

  test('what the user says it is, for each origin by itself, and nothing when it is switched off', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const isFailure = (error: unknown): boolean => (error as Error).message === 'ill';
    const cache = await c.cache({ origin: { breakAfter: 1, breakFor: '10m', isFailure } });
    await codeOf(cache.get('a', failing({ status: 503 })));
    expect(await cache.get('b', () => 'well')).toBe('well');
    await codeOf(cache.get('c', failing({ status: 400 }, 'ill')));
    expect(await codeOf(cache.get('d', () => 'well'))).toBe('origin-unavailable');
    expect(await cache.get('d', () => 'well', { origin: 'another' })).toBe('well');

    const never = await c.cache({ origin: { breakAfter: false } });
    for (let i = 0; i < 20; i += 1) await codeOf(never.get(`e ${i}`, failing({ status: 503 })));
    expect(await never.get('f', () => 'well')).toBe('well');
  });

  test('a load that nobody wants any more, and one whose cache is closed, are held against nobody', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const isFailure = (): boolean => true;
    const cache = await c.cache({ origin: { breakAfter: 1, breakFor: '10m', isFailure } });
    const stop = new AbortController();
    const given = codeOf(cache.get('a', () => new Promise(() => {}), { signal: stop.signal }));
    await eventually('it loads', () => cache.stats().loads.started === 1);
    stop.abort();
    expect(await given).toBe('AbortError');
    expect(await cache.get('b', () => 'well')).toBe('well');
  });
});

describe('trying an origin again', () => {
  test('a trial that is given up, or is a bad question, decides nothing: the next one does', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ origin: { breakAfter: 3, breakFor: 100 } });
    for (let i = 0; i < 3; i += 1) await codeOf(cache.get(`ill ${i}`, failing({ status: 503 })));
    const stop = new AbortController();
    const { started } = cache.stats().loads;
    let asked = false;
    await eventually('a trial is let through', () => {
      if (!asked) {
        asked = true;
        cache
          .get('trial', () => new Promise(() => {}), { signal: stop.signal })
          .catch(() => {
            asked = false;
          });
      }
      return cache.stats().loads.started > started;
    });
    // One at a time.
    expect(await codeOf(cache.get('beside', () => 'well'))).toBe('origin-unavailable');
    stop.abort();
    expect(await codeOf(cache.get('bad', failing({ status: 404 })))).not.toBe('origin-unavailable');
    expect(cache.health().parts?.origin?.status).toBe('warn');
    expect(await codeOf(cache.get('still ill', failing({ status: 503 })))).not.toBe('origin-unavailable');
    expect(await codeOf(cache.get('refused', () => 'well'))).toBe('origin-unavailable');
    await eventually('it is well', async () => (await codeOf(cache.get('well', () => 'well'))) === 'done');
    expect(cache.health().parts?.origin?.status).toBe('pass');
  });
});

describe('waiting for a turn', () => {
  test('is no time of the loader, and a load that was late in the queue is held against nobody', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({
      redisTimeout: 200,
      loadTimeout: 1_200,
      origin: { concurrency: 1, breakAfter: 1, breakFor: '10m' },
    });
    // Each takes well under its time; the last has waited for longer than that.
    const slow = async (): Promise<string> => {
      await pause(350);
      return 'well';
    };
    const keys = ['a', 'b', 'c', 'd', 'e'];
    expect(await Promise.all(keys.map((key) => codeOf(cache.get(key, slow))))).toEqual(keys.map(() => 'done'));
    // The same for the loads of many.
    const many = keys.map((key) => cache.getMany([`${key}1`, `${key}2`], async () => ({ [`${key}1`]: await slow() })));
    expect((await Promise.all(many)).map((found) => found.size)).toEqual(keys.map(() => 1));
    expect(cache.stats().latency.load.max).toBeLessThan(1_200);
    expect(cache.health().parts?.origin?.status).toBe('pass');
  });

  test('who gives up in the queue is answered at once, and the loader is never called for it', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ origin: { concurrency: 1, queue: 1, breakAfter: 1 } });
    const { promise, resolve } = Promise.withResolvers<string>();
    const first = cache.get('first', () => promise);
    await eventually('it loads', () => cache.stats().loads.started === 1);
    let called = false;
    const load = (): string => {
      called = true;
      return 'second';
    };
    const stop = new AbortController();
    const second = codeOf(cache.get('second', load, { signal: stop.signal }));
    const holds = async (): Promise<boolean> => (await c.redis.exists(`${c.prefix}:{second}:lease`)) === 1;
    await eventually('it waits for its turn', holds);
    stop.abort();
    expect(await second).toBe('AbortError');
    // It no longer keeps others waiting.
    await eventually('its lease is given back', async () => !(await holds()));
    // Nor does it take a place in the queue.
    const third = cache.get('third', () => 'third');
    await eventually('the next waits', async () => (await c.redis.exists(`${c.prefix}:{third}:lease`)) === 1);
    resolve('first');
    expect(await Promise.all([first, third])).toEqual(['first', 'third']);
    expect(called).toBe(false);
    expect(cache.stats().loads).toEqual({ started: 2, failed: 0, refused: 0 });
  });

  test('each origin has a queue of its own: one that hangs does not hold up another', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ origin: { concurrency: 2, queue: 1 } });
    const { promise, resolve } = Promise.withResolvers<string>();
    const slow = ['a', 'b', 'c'].map((key) => cache.get(key, () => promise, { origin: 'slow' }));
    await eventually('they load', () => cache.stats().loads.started === 2);
    await eventually('one waits', async () => (await c.redis.exists(`${c.prefix}:{c}:lease`)) === 1);
    expect(await codeOf(cache.get('d', () => promise, { origin: 'slow' }))).toBe('overloaded');
    expect(await cache.get('e', () => 'quick', { origin: 'quick' })).toBe('quick');
    expect(await cache.get('f', () => 'quick')).toBe('quick');
    resolve('late');
    expect(await Promise.all(slow)).toEqual(['late', 'late', 'late']);
  });
});

describe('a loader that asks its own cache', () => {
  const numbers = [1, 2, 3, 4, 5, 6];

  test('waits for nobody who waits for a turn, however many of them have one', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ loadTimeout: '2s', origin: { concurrency: 2, breakAfter: 1, breakFor: '10m' } });
    const rides = cache.namespace('rides');
    const load = async (): Promise<string> => {
      await pause(1);
      return 'part';
    };
    type Ask = (key: string, load: () => Promise<string>) => Promise<string>;
    const ways: Record<string, Ask> = {
      one: (key, of) => cache.get(key, of),
      many: async (key, of) => (await cache.getMany([key], async () => ({ [key]: await of() }))).get(key) ?? '',
      version: (key, of) => rides.get(key, of),
      token: (key, of) => rides.get(key, of, { fence: 1n }),
    };
    for (const [way, ask] of Object.entries(ways)) {
      const page = (number: number): Promise<string> =>
        ask(`page ${way} ${number}`, () => ask(`part ${way} ${number}`, load));
      // These are in line when the loaders of the pages ask for them.
      const part = (number: number): Promise<string> => ask(`part ${way} ${number}`, load);
      const all = await Promise.all([...numbers.map(page), ...numbers.map(part)].map(codeOf));
      expect(all, way).toEqual(all.map(() => 'done'));
    }
    expect(cache.health().parts?.origin?.status).toBe('pass');
    // Nothing is left of it: there are two at a time.
    let [loading, most] = [0, 0];
    const watched = async (): Promise<string> => {
      loading += 1;
      most = Math.max(most, loading);
      await pause(1);
      loading -= 1;
      return 'part';
    };
    await Promise.all(numbers.map((number) => cache.get(`watched ${number}`, watched)));
    expect(most).toBe(2);
  });

  test('for what it loads is told at once that it would wait for itself', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ loadTimeout: '2s', origin: { breakAfter: 1 } });
    const rides = cache.namespace('rides');
    const circles: Record<string, () => Promise<unknown>> = {
      'a → a': () => cache.get('a', () => cache.get('a', () => 1)),
      'b → c → d → b': () => cache.get('b', () => cache.get('c', () => cache.get('d', () => cache.get('b', () => 1)))),
      'e → e': () => cache.getMany(['e', 'f'], () => cache.getMany(['g', 'e'], () => ({}))),
      'h → h': () => cache.get('h', () => cache.get('h', () => 1, { fence: 1n })),
      'rides@0:i → j → rides@0:i': () => rides.get('i', () => cache.get('j', () => rides.get('i', () => 1))),
      'rides@0:k → rides@0:k': () => rides.get('k', () => rides.get('k', () => 1, { fence: 1n })),
    };
    for (const [path, ask] of Object.entries(circles)) {
      const error = await ask().then(String, (reason: Error) => reason);
      expect(error, path).toMatchObject({ code: 'invalid-argument', argument: 'key' });
      expect(String(error)).toContain(`(${path})`);
    }
    expect(cache.health().parts?.origin?.status).toBe('pass');
    // What a loader has left behind may ask for its key, as anybody may.
    const { promise, resolve } = Promise.withResolvers<void>();
    let left: Promise<unknown> | undefined;
    await cache.get('left', () => {
      left = promise.then(() => cache.get('left', () => 'anew'));
      return 'first';
    });
    const { started } = cache.stats().loads;
    const other = Promise.withResolvers<string>();
    const busy = cache.get('busy', () => other.promise);
    await eventually('it loads', () => cache.stats().loads.started > started);
    resolve();
    expect(await left).toBe('first');
    other.resolve('done');
    await busy;
    // Nor is it another cache's business.
    const second = await c.cache({ prefix: `${c.prefix}-2` });
    expect(await cache.get('zone', () => second.get('zone', () => 'of the second'))).toBe('of the second');
  });
});
