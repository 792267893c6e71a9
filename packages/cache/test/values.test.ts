import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { type Cache, type Schema, structuredClone } from '../src/index.ts';
import { caches, clientOf, codeOf, counting, hearing, heldReplies } from './fixture.ts';

/** A schema as its author writes it: gives the output, or says what is wrong and where. */
function schemaOf<T>(check: (value: unknown) => T): Schema<T> {
  return {
    '~standard': {
      version: 1,
      validate: async (value) => {
        try {
          return { value: check(value) };
        } catch (error) {
          return { issues: [error as { message: string; path: PropertyKey[] }] };
        }
      },
    },
  };
}
const issue = (message: string, ...path: unknown[]): never => {
  throw Object.assign(new Error(message), { path });
};
const never = (): never => {
  throw new Error('not needed');
};

interface Zone {
  readonly id: number;
  readonly name: string;
}
/** Takes an id as text too, leaves out what it does not know, and has a default. */
const zoneSchema = schemaOf<Zone>((value) => {
  const { id, name = 'no name' } = (value ?? {}) as Partial<Zone>;
  if (Number.isNaN(Number(id))) issue('expected a number', 'id');
  if (typeof name !== 'string') issue('expected a string', { key: 'name' }, 0);
  return { id: Number(id), name };
});

describe('a schema', () => {
  test('shapes what was loaded: the loading caller, later readers and other processes get the same', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    for (const local of [{}, { values: 'copied' }, { values: 'shared' }, false] as const) {
      const options = { schema: zoneSchema, local };
      const [a, b, plain] = [await c.cache(options), await c.cache(options), await c.cache()];
      await hearing(a, b);
      const key = JSON.stringify(local);
      const load = (): Zone => ({ id: '7', secret: 'hunter2' }) as never;
      const expected = { id: 7, name: 'no name' };
      for (const cache of [a, a, b, b]) expect(await cache.get(key, load)).toEqual(expected);
      // That is what is kept, whoever reads it.
      expect(await plain.get(key, never)).toEqual(expected);
      expect(a.stats().loads.started + b.stats().loads.started).toBe(1);
    }
  });

  test('may make of a value what it would not take itself', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const schema = schemaOf<{ when: Date; cents: bigint }>((value) => {
      const { when, cents } = value as { when: unknown; cents: unknown };
      if (typeof when !== 'string' || typeof cents !== 'string') issue('expected a string');
      return { when: new Date(when as string), cents: BigInt(cents as string) };
    });
    const [a, b] = [await c.cache({ schema }), await c.cache({ schema })];
    const load = (): never => ({ when: new Date(5), cents: '100' }) as never;
    for (const cache of [a, b, b]) {
      expect(await cache.get<unknown>('zone', load)).toEqual({ when: new Date(5), cents: 100n });
    }
    expect(b.stats().loads.started).toBe(0);
    // Doubled once, not once for every reader.
    const doubling = schemaOf((value) => (value as number) * 2);
    for (const cache of [await c.cache(), await c.cache()]) {
      expect(await cache.get('number', () => 5, { schema: doubling })).toBe(10);
    }
  });

  test('what was loaded or set and does not pass is an error that says where, and is not kept', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ schema: zoneSchema, origin: { breakAfter: 1, breakFor: '10m' } });
    const bad = { id: 7, name: ['hunter2'] } as never;
    for (const work of [
      (): Promise<unknown> => cache.get('zone', () => bad),
      (): Promise<unknown> => cache.getMany(['zone'], () => ({ zone: bad })),
      (): Promise<unknown> => cache.set('zone', bad),
    ]) {
      await expect(work()).rejects.toMatchObject({
        code: 'invalid-value',
        key: 'zone',
        path: 'name[0]',
        happened: 'no',
      });
      await expect(work()).rejects.toThrow(/^zone: .*name\[0\]: expected a string/);
      await expect(work()).rejects.not.toThrow('hunter2');
    }
    expect(await c.redis.keys(`${c.prefix}:{zone}*`)).toEqual([]);
    expect(await cache.get('zone', () => ({ id: 7, name: 'Soho' }))).toEqual({ id: 7, name: 'Soho' });
    // That there is none has no shape.
    expect(await cache.get('none', () => undefined as never)).toBeUndefined();
  });

  test('that does not answer holds nobody up for longer than a loader may, and not the end of the cache', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    let asked = 0;
    const validate = (): Promise<never> => {
      asked += 1;
      return new Promise(() => {});
    };
    const schema: Schema<string> = { '~standard': { version: 1, validate } };
    const times = { redisTimeout: 100, loadTimeout: 100 };
    const [cache, strict, other] = [await c.cache(times), await c.cache({ ...times, schema }), await c.cache()];
    for (const work of [
      (): Promise<unknown> => cache.get('zone', () => 'value', { schema }),
      (): Promise<unknown> => cache.getMany(['zone'], () => ({ zone: 'value' }), { schema }),
      (): Promise<unknown> => strict.set('zone', 'value'),
    ]) {
      expect(await codeOf(work())).toBe('deadline-exceeded');
      await expect(work()).rejects.toThrow(/zone: .* schema did not finish within 100 ms/);
    }
    // Nobody else waits for it.
    expect(await other.get('zone', () => 'of another')).toBe('of another');
    // What is read is checked as well: without an answer it is not known.
    const { started } = cache.stats().loads;
    expect(await codeOf(cache.get('zone', () => 'value', { schema }))).toBe('deadline-exceeded');
    // Its time is over: nothing is loaded in its place.
    expect(cache.stats().loads.started).toBe(started);
    expect(await cache.peek('zone', { schema })).toBeUndefined();
    expect(cache.stats().unreadable).toBe(2);
    const patient = await c.cache({ loadTimeout: '1h' });
    const ends = [codeOf(patient.get('day', () => 'value', { schema }))];
    await eventually('it is loaded', () => asked === 9);
    const { promise, resolve } = Promise.withResolvers<string>();
    const loading = other.get('night', () => promise);
    await eventually('it is being loaded', () => other.stats().loads.started === 2);
    ends.push(codeOf(patient.get('night', never, { schema })));
    await eventually('it waits for that', () => patient.stats().waits.elsewhere === 1);
    resolve('value');
    expect(await loading).toBe('value');
    await eventually('it has been brought', () => asked === 10);
    await patient.stop();
    expect(await Promise.all(ends)).toEqual(['cache-closed', 'cache-closed']);
  });
});

describe('how long', () => {
  test('"there is none" is never remembered for longer than the ttl of the call, or of its loader', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ ttl: '1h', negative: '10m' });
    const minute = 60_000;
    const life = async (key: string): Promise<number> => c.redis.pttl(`${c.prefix}:{${key}}`);
    await cache.get('call', () => undefined, { ttl: minute });
    await cache.get('said', () => undefined, { ttl: minute, negative: '5m' });
    await cache.get('loader', (context) => context.keep({ ttl: minute }));
    for (const key of ['call', 'said', 'loader']) {
      expect(await life(key)).toBeGreaterThan(0);
      expect(await life(key)).toBeLessThanOrEqual(minute);
    }
    await cache.get('long', (context) => context.keep({ ttl: '1d' }));
    expect(await life('long')).toBeLessThanOrEqual(10 * minute);
    await cache.get('never', (context) => context.keep({ ttl: 0 }));
    expect(await life('never')).toBe(-2);
  });
});

describe('the end of a value', () => {
  test('is the same in Redis and in the process that has loaded it, however long the answer takes', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const redis = clientOf(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ redis, ttl: 600, early: 0 });
    await hearing(cache);
    // Redis knows the scripts from now on.
    await cache.get('before', () => 'known');
    const call = redis.evalsha.bind(redis) as (...args: unknown[]) => Promise<unknown>;
    redis.evalsha = (async (...args: unknown[]) => {
      const reply = await call(...args);
      await pause(200);
      return reply;
    }) as never;
    expect(await cache.get('zone', () => 'old')).toBe('old');
    const gone = async (): Promise<boolean> => (await c.redis.exists(`${c.prefix}:{zone}`)) === 0;
    await eventually('it is gone from Redis', gone, { every: 1 });
    expect(await cache.get('zone', () => 'new')).toBe('new');
    redis.disconnect();
  });
});

describe('without a local tier', () => {
  test('callers who share a load cannot change each other’s value', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache({ local: false }), await c.cache({ local: false })];
    for (const cache of [a, b]) {
      const [one, two] = await Promise.all([1, 2].map(() => cache.get('zone', () => ({ list: ['a'] }))));
      expect(() => one?.list.push('b')).toThrow(TypeError);
      expect(two).toEqual({ list: ['a'] });
    }
    // What cannot be frozen is each caller's own.
    const binary = { local: false, serializer: structuredClone } as const;
    for (const cache of [await c.cache(binary), await c.cache(binary)]) {
      const load = (): Map<string, Date> => new Map([['a', new Date(5)]]);
      const [one, two] = await Promise.all([1, 2].map(() => cache.get('map', load)));
      one?.get('a')?.setTime(7);
      one?.clear();
      expect(two).toEqual(new Map([['a', new Date(5)]]));
      expect(cache.stats().loads.started + cache.stats().hits.redis).toBeGreaterThan(0);
    }
  });
});

describe('the size of the local tier', () => {
  test('is what values take in memory, not in Redis', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const writer = await c.cache({ local: false });
    const text = 'taxi '.repeat(200_000);
    const keys = Array.from({ length: 10 }, (_, index) => `large ${index}`);
    await writer.setMany(keys.map((key) => [key, text] as const));
    // It comes when all this has been said.
    const reader = await c.cache({ local: { maxBytes: 4 * 2 ** 20 } });
    await hearing(reader);
    for (const key of keys) expect((await reader.get(key, never as () => string)).length).toBe(text.length);
    expect(reader.stats().local).toMatchObject({ items: 4, evictions: 6 });
    expect(reader.stats().local.bytes).toBeGreaterThan(4_000_000);
    // A character beyond Latin-1 makes each of its text take two bytes, in UTF-8 and in Redis though it may be one.
    await writer.set('wide', `${'taxi '.repeat(200_000)}→`);
    // Word of the write may come while it is read: then it is not kept at once.
    await eventually('it is kept', async () => {
      await reader.get('wide', never as () => string);
      return reader.stats().local.items === 3;
    });
  });

  test('is that of their tags, too', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [loading, reading] = [await c.cache(), await c.cache()];
    await hearing(loading, reading);
    const tags = Array.from({ length: 50 }, (_, index) => `${'tag '.repeat(25)}${index}`);
    for (const cache of [loading, reading]) {
      await cache.get('a', () => 'x');
      const { bytes } = cache.stats().local;
      await cache.get('b', () => 'x', { tags });
      expect(cache.stats().local.items).toBe(2);
      expect(cache.stats().local.bytes - 2 * bytes).toBeGreaterThan(tags.join('').length);
    }
    expect(reading.stats().hits.redis).toBe(2);
  });
});

describe('many keys', () => {
  test('1,000 cold keys are one load', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache();
    const keys = Array.from({ length: 1_000 }, (_, index) => `key ${index}`);
    for (const options of [{}, { tags: ['t'] }]) {
      const sizes: number[] = [];
      const found = await cache.getMany<number>(
        keys.map((key) => `${JSON.stringify(options)} ${key}`),
        (missing) => {
          sizes.push(missing.length);
          return new Map(missing.map((key, index) => [key, index]));
        },
        options,
      );
      expect(found.size).toBe(1_000);
      expect(sizes).toEqual([1_000]);
    }
  });

  test('keys that others load do not hold up the rest, in this process or in another', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache(), await c.cache()];
    // Before that, what is under way is not joined any more.
    await hearing(a, b);
    const { promise, resolve } = Promise.withResolvers<string>();
    const others = [a.get('elsewhere', () => promise), b.get('here', () => promise)];
    await eventually('they load', () => a.stats().loads.started + b.stats().loads.started === 2);
    const asked: (readonly string[])[] = [];
    const many = b.getMany<string>(['elsewhere', 'here', 'one', 'two'], (missing) => {
      asked.push([...missing].sort());
      resolve('by another');
      return new Map(missing.map((key) => [key, 'by us']));
    });
    expect(Object.fromEntries(await many)).toEqual({
      elsewhere: 'by another',
      here: 'by another',
      one: 'by us',
      two: 'by us',
    });
    expect(asked).toEqual([['one', 'two']]);
    await Promise.all(others);
  });

  test('a caller who gives up ends the load of many', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache();
    const stop = new AbortController();
    const told = Promise.withResolvers<void>();
    const many = codeOf(
      cache.getMany(
        ['one', 'two'],
        (_, { signal }) => {
          signal.addEventListener('abort', () => told.resolve());
          stop.abort();
          return new Promise<Map<string, string>>(() => {});
        },
        { signal: stop.signal },
      ),
    );
    expect(await many).toBe('AbortError');
    await told.promise;
  });
});

describe('counts', () => {
  test('a key that is waited for counts once, however often it is looked at, and whoever loads it in the end', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const all = [await c.cache(), await c.cache(), await c.cache()];
    const [first, ...others] = all as [Cache, ...Cache[]];
    const { promise, reject } = Promise.withResolvers<string>();
    const ill = codeOf(first.get('zone', () => promise));
    await eventually('it loads', () => first.stats().loads.started === 1);
    // The lease says who holds it and who waits.
    const inLine = async (): Promise<number> => (await c.redis.get(`${c.prefix}:{zone}:lease`))?.split(' ').length ?? 0;
    const load = async (): Promise<string> => {
      await eventually('the other waits again', async () => (await inLine()) === 2);
      return 'loaded';
    };
    const waiting = others.map((cache) => cache.get('zone', load));
    await eventually('the others wait', () => others.every((cache) => cache.stats().waits.elsewhere > 0));
    reject(new TypeError('no'));
    expect(await ill).toBe('TypeError');
    expect(await Promise.all(waiting)).toEqual(['loaded', 'loaded']);
    expect(all.map((cache) => cache.stats().waits.elsewhere)).toEqual([0, 1, 1]);
  });

  test('each call counts once and is told of once: who joins late, gives up or is ended by stop, too', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const redis = clientOf(servers.QUORATE_REDIS ?? '');
    const reads = heldReplies(redis, 'getBuffer');
    const cache = await c.cache({ redis, redisTimeout: '20s', heartbeat: '5s', lease: '10s' });
    await hearing(cache);
    const counted = (): number => {
      const { hits, misses, staleServed } = cache.stats();
      return hits.local + hits.redis + misses + staleServed;
    };
    const told: unknown[] = [];
    const hear = (message: unknown): void => {
      if ((message as { key: unknown }).key === 'day') told.push(message);
    };
    const tags = ['zones'];
    reads.hold();
    const first = cache.get('zone', () => 'loaded', { tags });
    await eventually('it reads', () => reads.held() === 1);
    await cache.invalidate({ tags });
    expect(await codeOf(cache.get('zone', never, { tags, timeout: 20 }))).toBe('deadline-exceeded');
    expect(counted()).toBe(1);
    reads.release();
    expect(await first).toBe('loaded');
    expect(counted()).toBe(2);

    subscribe('quorate.cache.get', hear);
    const { promise, resolve } = Promise.withResolvers<string>();
    const before = cache.get('day', () => promise, { tags });
    await eventually('it loads', () => cache.stats().loads.started === 2);
    await cache.invalidate({ tags });
    const after = cache.get('day', () => 'after', { tags });
    resolve('before');
    expect(await Promise.all([before, after])).toEqual(['before', 'after']);
    unsubscribe('quorate.cache.get', hear);
    expect(told).toHaveLength(2);
    expect(counted()).toBe(4);

    // What was there lets the next one read first.
    await cache.set('there', 1);
    expect(await cache.get<unknown>('there', never)).toBe(1);
    reads.hold();
    const last = codeOf(cache.get('night', never));
    await eventually('it reads', () => reads.held() === 2);
    await cache.stop();
    expect(await last).toBe('cache-closed');
    expect(counted()).toBe(6);
    reads.release();
    redis.disconnect();
  });

  test('each call counts once, also when it shares the way to its value with others', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache({ ttl: 300, stale: '1m', early: 0 }), await c.cache({ local: false })];
    await hearing(a, b);
    const { load } = counting();
    const all = (cache: typeof a): Promise<unknown> =>
      Promise.all(Array.from({ length: 200 }, () => cache.get('zone', load)));
    const counts = (cache: typeof a): unknown => {
      const { hits, misses, staleServed, waits } = cache.stats();
      return { ...hits, misses, stale: staleServed, joined: waits.joined };
    };
    await all(a);
    expect(counts(a)).toEqual({ local: 0, redis: 0, misses: 200, stale: 0, joined: 199 });
    await all(b);
    expect(counts(b)).toEqual({ local: 0, redis: 200, misses: 0, stale: 0, joined: 199 });
    await eventually('it is stale', async () => {
      await a.get('zone', () => new Promise<number>(() => {}), { timeout: '5s' });
      return a.stats().staleServed > 0;
    });
    const before = b.stats();
    await Promise.all(Array.from({ length: 200 }, () => b.get('zone', () => new Promise<number>(() => {}))));
    expect(b.stats().staleServed - before.staleServed).toBe(200);
    expect(b.stats().hits.redis).toBe(200);
  });
});
