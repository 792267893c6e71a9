import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { ReplyError } from 'ioredis';
import { describe, expect } from 'vitest';
import { json, structuredClone } from '../src/index.ts';
import { messagePack } from '../src/message-pack.ts';
import { claim, fill } from '../src/redis/scripts.ts';
import { caches, clientOf, codeOf, counting, hearing } from './fixture.ts';

describe('reading through', () => {
  test('a value is loaded once, kept in Redis for others and in the process for itself', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache(), await c.cache()];
    await hearing(a, b);
    const { load, calls } = counting();
    for (const cache of [a, a, b, b]) expect(await cache.get('zone', load)).toBe(1);
    expect(calls()).toBe(1);
    expect(a.stats()).toMatchObject({ misses: 1, hits: { local: 1, redis: 0 }, loads: { started: 1 } });
    expect(b.stats()).toMatchObject({ misses: 0, hits: { local: 1, redis: 1 }, loads: { started: 0 } });
  });

  test('a key that nobody has takes two requests where the one before was missing too, and one that is there takes one', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const redis = clientOf(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ redis });
    await hearing(cache);
    const other = await c.cache();
    for (const key of ['there', 'there too', 'there still', 'there once more']) await other.set(key, 'there');
    const sent: string[] = [];
    const send = redis.sendCommand.bind(redis);
    redis.sendCommand = (command, ...rest) => {
      // The heart beats by others.
      if (/^(get|evalsha?)$/i.test(command.name)) sent.push(command.name.toLowerCase());
      return send(command, ...rest);
    };
    const costs = async (key: string): Promise<[unknown, ...string[]]> => {
      sent.length = 0;
      return [await cache.get(key, () => 'loaded'), ...sent];
    };
    await c.redis.script('LOAD', claim.lua);
    await c.redis.script('LOAD', fill.lua);
    expect(await costs('there')).toEqual(['there', 'get']);
    expect(await costs('one')).toEqual(['loaded', 'get', 'evalsha', 'evalsha']);
    expect(await costs('two')).toEqual(['loaded', 'evalsha', 'evalsha']);
    expect(await costs('three')).toEqual(['loaded', 'evalsha', 'evalsha']);
    expect(await costs('there too')).toEqual(['there', 'evalsha']);
    expect(await costs('there still')).toEqual(['there', 'get']);
    expect(cache.stats()).toMatchObject({
      misses: 3,
      hits: { redis: 3 },
      loads: { started: 3 },
      waits: { elsewhere: 0 },
    });
    // Where scripts are refused, what is there is read all the same.
    await cache.get('four', () => 'loaded');
    redis.sendCommand = (command, ...rest) => {
      if (/^evalsha?$/i.test(command.name)) command.reject(new ReplyError('NOPERM this user has no permissions'));
      else return send(command, ...rest);
      return command.promise;
    };
    expect(await cache.get('there once more', () => 'loaded')).toBe('there');
    redis.sendCommand = send;
    redis.disconnect();
  });

  test('a client that pipelines commands by itself does as any other', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const redis = clientOf(servers.QUORATE_REDIS ?? '', { enableAutoPipelining: true });
    const [cache, other] = [await c.cache({ redis }), await c.cache()];
    await hearing(cache, other);
    const keys = ['one', 'two', 'three'];
    const load = (missing: readonly string[]): Map<string, string> => new Map(missing.map((key) => [key, `${key} →`]));
    expect([...(await cache.getMany(keys, load)).values()]).toEqual(['one →', 'two →', 'three →']);
    await other.set('four', 'set');
    await other.delete('one');
    await eventually('word has come', async () => (await cache.peek('one')) === undefined);
    // What is there when it asks for the right to load comes as bytes.
    expect(await cache.get('five', () => 'loaded')).toBe('loaded');
    expect(await cache.get('four', () => 'not needed')).toBe('set');
    expect(cache.stats()).toMatchObject({ redisSilences: 0, notKept: 0, unreadable: 0 });
    redis.disconnect();
  });

  test('callers who ask at once share one load, and one who gives up does not end it for the others', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache();
    await hearing(cache);
    const { promise, resolve } = Promise.withResolvers<string>();
    let aborted = false;
    const load = ({ signal }: { signal: AbortSignal }): Promise<string> => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return promise;
    };
    const controller = new AbortController();
    const impatient = cache.get('zone', load, { signal: controller.signal });
    const hurried = cache.get('zone', load, { timeout: 20 });
    const patient = Array.from({ length: 50 }, () => cache.get('zone', load));
    controller.abort(new Error('enough'));
    await expect(impatient).rejects.toThrow('enough');
    expect(await codeOf(hurried)).toBe('deadline-exceeded');
    expect(aborted).toBe(false);
    resolve('there');
    expect(new Set(await Promise.all(patient))).toEqual(new Set(['there']));
    expect(cache.stats()).toMatchObject({ loads: { started: 1 }, waits: { joined: 51 } });
  });

  test('when all have given up, the loader is told, and the next caller loads anew at once', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache();
    const told = Promise.withResolvers<void>();
    const load = ({ signal }: { signal: AbortSignal }): Promise<string> => {
      signal.addEventListener('abort', () => told.resolve());
      return new Promise(() => {});
    };
    const controller = new AbortController();
    const waits = [1, 2, 3].map(() => codeOf(cache.get('zone', load, { signal: controller.signal })));
    await eventually('it loads', () => cache.stats().loads.started === 1);
    controller.abort();
    await told.promise;
    expect(await Promise.all(waits)).toEqual(['AbortError', 'AbortError', 'AbortError']);
    expect(await cache.get('zone', () => 'second')).toBe('second');
    expect(await c.redis.keys(`${c.prefix}:*lease`)).toEqual([]);
  });

  test('undefined is an answer too: it is remembered for as long as said, and null is a value', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache({ negative: 150 }), await c.cache({ negative: 150 })];
    let calls = 0;
    const load = (): undefined => {
      calls += 1;
      return undefined;
    };
    expect(await a.get('none', load)).toBeUndefined();
    expect(await a.get('none', load)).toBeUndefined();
    expect(await b.get('none', load)).toBeUndefined();
    expect(calls).toBe(1);
    await eventually('it is asked again', async () => {
      await a.get('none', load);
      return calls === 2;
    });
    const { load: never, calls: loads } = counting();
    expect(await a.get('null', () => null)).toBeNull();
    expect(await b.get<unknown>('null', never)).toBeNull();
    expect(loads()).toBe(0);
  });

  test('the loader decides how long its value lives, and what tags it has', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache();
    await hearing(cache);
    await cache.get('short', (context) => {
      context.keep({ ttl: '2s', tags: ['by-loader'] });
      return 1;
    });
    const left = await c.redis.pttl(`${c.prefix}:{short}`);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(2_000);
    await cache.invalidate({ tags: ['by-loader'] });
    expect(await cache.get('short', () => 2)).toBe(2);
    await cache.get('never', (context) => {
      context.keep({ ttl: 0 });
      return 1;
    });
    expect(await cache.get('never', () => 2)).toBe(2);
  });

  test('a failing loader fails its callers alone, and keeps nothing', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache(), await c.cache()];
    const fail = (): never => {
      throw new Error('the origin is ill');
    };
    await expect(Promise.all([a.get('zone', fail), a.get('zone', fail)])).rejects.toThrow('the origin is ill');
    expect(await b.get('zone', () => 'well')).toBe('well');
    expect(await a.get('zone', fail)).toBe('well');
  });

  test('a loader that hangs is left after its time, and does not hold up anybody for longer', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache({ loadTimeout: 500 }), await c.cache({ loadTimeout: '20s' })];
    const hanging = codeOf(a.get('zone', () => new Promise(() => {})));
    await eventually('it loads', () => a.stats().loads.started === 1);
    const other = b.get('zone', () => 'loaded');
    expect(await hanging).toBe('deadline-exceeded');
    expect(await other).toBe('loaded');
    expect(b.stats().waits.elsewhere).toBe(1);
  });
});

describe('many keys', () => {
  test('what is there is taken, and the rest is loaded in one call', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache(), await c.cache()];
    await a.setMany([
      ['one', 1],
      ['two', 2],
    ]);
    const asked: (readonly string[])[] = [];
    const found = await b.getMany<number>(['one', 'two', 'three', 'four', 'three', 'none'], (keys) => {
      asked.push([...keys].sort());
      return { three: 3, four: 4 };
    });
    expect([...found]).toEqual([
      ['one', 1],
      ['two', 2],
      ['three', 3],
      ['four', 4],
    ]);
    expect(asked).toEqual([['four', 'none', 'three']]);
    expect(b.stats().loads).toEqual({ started: 1, failed: 0, refused: 0 });
    // What was left out is known not to be there.
    expect((await a.getMany<number>(['four', 'none'], () => Promise.reject(new Error('not needed')))).get('four')).toBe(
      4,
    );
  });

  test('a key that somebody else loads already is waited for, not loaded twice', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache(), await c.cache()];
    const { promise, resolve } = Promise.withResolvers<string>();
    const first = a.get('slow', () => promise);
    await eventually('it loads', () => a.stats().loads.started === 1);
    const asked: string[] = [];
    const many = b.getMany<string>(['slow', 'quick'], (keys) => {
      asked.push(...keys);
      resolve('by the first');
      return new Map(keys.map((key) => [key, 'by the second']));
    });
    expect(Object.fromEntries(await many)).toEqual({ slow: 'by the first', quick: 'by the second' });
    expect(asked).toEqual(['quick']);
    expect(await first).toBe('by the first');
  });

  test('when the load of many fails, every key that needed it fails', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache();
    await expect(cache.getMany(['a', 'b'], () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    for (const odd of [5, null, ['a'], new Set(['a']), new Map([['a', 1]]).entries()]) {
      await expect(cache.getMany(['a'], () => odd as never)).rejects.toMatchObject({ argument: 'load' });
    }
  });
});

describe('values', () => {
  const when = new Date('2015-03-01T00:00:00Z');

  test.for([
    [json.name, json, { n: 1.5, list: [1, null, 'ü'], deep: { yes: true } }],
    [structuredClone.name, structuredClone, { when, map: new Map([['a', 1n]]), bytes: new Uint8Array([0, 255]) }],
    [messagePack.name, messagePack, { when, list: [1, 'ü', null], bytes: new Uint8Array([0, 255]) }],
  ] as const)('%s: the first caller gets what all others get', async ([, serializer, value], { servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache({ serializer }), await c.cache({ serializer, compress: { above: 0 } })];
    expect(await a.get<unknown>('plain', () => value)).toEqual(value);
    expect(await b.get<unknown>('plain', () => 'not needed')).toEqual(value);
    expect(await b.get<unknown>('packed', () => value)).toEqual(value);
    expect(await a.get<unknown>('packed', () => 'not needed')).toEqual(value);
  });

  test('a large value is compressed in Redis', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache(), await c.cache()];
    const text = 'taxi '.repeat(100_000);
    await a.set('large', text);
    expect(await c.redis.strlen(`${c.prefix}:{large}`)).toBeLessThan(text.length / 20);
    expect(await b.get('large', () => 'not needed')).toBe(text);
  });

  test('64 MB go through, where they are allowed to, and are given out and not kept where they are not', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const roomy = { maxValueBytes: 128 * 2 ** 20, compress: false, redisTimeout: '20s', local: false } as const;
    const [a, b] = [await c.cache(roomy), await c.cache(roomy)];
    const text = 'x'.repeat(64 * 2 ** 20);
    expect((await a.get('huge', () => text)).length).toBe(text.length);
    expect((await b.get('huge', () => 'not needed')).length).toBe(text.length);
    const narrow = await c.cache();
    expect((await narrow.get('huge-2', () => text)).length).toBe(text.length);
    expect(narrow.stats()).toMatchObject({ notKept: 1, local: { items: 0 } });
    expect(await codeOf(narrow.set('huge-2', text))).toBe('value-too-large');
    expect(await c.redis.exists(`${c.prefix}:{huge-2}`)).toBe(0);
  });

  test('callers cannot change each other’s value', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const made = { zones: ['a'] };
    const frozen = await c.cache();
    const value = await frozen.get('frozen', () => made);
    expect(() => value.zones.push('b')).toThrow(TypeError);
    made.zones.push('mine');
    expect(await frozen.get('frozen', () => made)).toEqual({ zones: ['a'] });

    const copied = await c.cache({ local: { values: 'copied' } });
    const [one, two] = await Promise.all([1, 2].map(() => copied.get('copied', () => ({ zones: ['a'] }))));
    one?.zones.push('b');
    expect(two).toEqual({ zones: ['a'] });
    expect(await copied.get('copied', () => ({ zones: [] as string[] }))).toEqual({ zones: ['a'] });

    const shared = await c.cache({ local: { values: 'shared' } });
    await hearing(shared);
    const first = await shared.get('shared', () => made);
    first.zones.push('b');
    expect(await shared.get('shared', () => made)).toBe(first);
    // What the loader goes on to do with its own is not seen by callers.
    expect(first).not.toBe(made);
  });

  test('what cannot be written is refused by name, and nothing is kept', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    for (const value of [1n, circle, () => 1, Symbol('s')]) {
      await expect(cache.get('odd', () => value as unknown)).rejects.toMatchObject({
        code: 'unserializable',
        key: 'odd',
      });
      await expect(cache.set('odd', value)).rejects.toThrow(/^odd: the serializer json cannot write this value/);
    }
    expect(await c.redis.keys(`${c.prefix}:{odd}*`)).toEqual([]);
  });
});

describe('what stands in Redis and is not ours', () => {
  test.for([
    ['text', (name: string): unknown[] => ['set', name, 'hello']],
    ['nothing much', (name: string): unknown[] => ['set', name, '']],
    ['half a value', (name: string): unknown[] => ['set', name, 'Q\u0001'.padEnd(47, '\0')]],
    ['noise', (name: string): unknown[] => ['set', name, Buffer.alloc(500, 0xff)]],
    ['a list', (name: string): unknown[] => ['rpush', name, 'a']],
    ['a hash', (name: string): unknown[] => ['hset', name, 'a', 'b']],
  ] as const)('%s counts as a miss and is replaced', async ([, command], { servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache(), await c.cache()];
    const [name, ...args] = command(`${c.prefix}:{zone}`);
    await c.redis.call(name as string, ...(args as (string | Buffer)[]));
    const { load, calls } = counting();
    // Together with others, so that it is read in a batch too.
    expect(await Promise.all([a.get('zone', load), a.get('other', () => 'x')])).toEqual([1, 'x']);
    expect(await b.get('zone', load)).toBe(1);
    expect(calls()).toBe(1);
  });

  test('what another serializer wrote, or an older shape, counts as a miss', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const old = await c.cache();
    await old.set('zone', { name: 'Soho' });
    const other = await c.cache({ serializer: messagePack });
    expect(await other.get('zone', () => 'packed')).toBe('packed');
    expect(other.stats().unreadable).toBe(1);

    await old.set('zone', { name: 'Soho' });
    const schema = {
      '~standard': {
        version: 1 as const,
        validate: async (value: unknown) =>
          typeof (value as { id?: unknown }).id === 'number' ? { value: value as { id: number } } : { issues: ['id'] },
      },
    };
    const newer = await c.cache({ schema });
    expect(await newer.get('zone', () => ({ id: 7 }))).toEqual({ id: 7 });
    expect(newer.stats().unreadable).toBe(1);
    const third = await c.cache();
    expect(await third.get('zone', () => ({ id: 8 }), { schema })).toEqual({ id: 7 });
  });
});

describe('functions that remember', () => {
  test('the same arguments give what the first call gave', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache();
    const { load: count } = counting();
    const area = cache.wrap(async (_context, a: number, b: number) => ({ area: a * b, call: await count() }), {
      name: 'area',
      tags: (a) => [`a:${a}`],
    });
    expect([await area(2, 3), await area(2, 3), await area(3, 2)].map(({ call }) => call)).toEqual([1, 1, 2]);
    await area.delete(2, 3);
    expect((await area(2, 3)).call).toBe(3);
    await cache.invalidate({ tags: ['a:3'] });
    expect((await area(3, 2)).call).toBe(4);
    expect(area.key(2, 3)).toBe('area:[2,3]');
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(area.with({ signal: controller.signal })(9, 9)).rejects.toThrow('enough');
  });
});
