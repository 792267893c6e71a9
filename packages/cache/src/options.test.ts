import { Cluster, Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import { Cache } from './cache.ts';
import { type CacheOptions, checkOptions } from './options.ts';

/** Never connects: what is refused is refused before anything is touched. */
const redis = new Redis({ lazyConnect: true, host: '127.0.0.1', port: 1, password: 'hunter2' });
afterAll(() => redis.disconnect());

const valid: CacheOptions = { redis, prefix: 'taxi' };

describe('options', () => {
  test('have defaults', () => {
    expect(checkOptions(valid)).toMatchObject({
      ttl: 300_000,
      stale: 0,
      negative: 10_000,
      early: 1,
      local: { maxItems: 10_000, maxBytes: 67_108_864, trust: 30_000, values: 'frozen' },
      compressAbove: 65_536,
      maxValueBytes: 16_777_216,
      lease: 3_000,
      redisTimeout: 500,
      loadTimeout: 30_000,
      heartbeat: 500,
      origin: { concurrency: 256, queue: 10_000, breakAfter: 5, breakFor: 5_000 },
    });
    expect(checkOptions({ ...valid, origin: { breakAfter: false } }).origin.breakAfter).toBe(Infinity);
    expect(checkOptions({ ...valid, local: false, compress: false })).toMatchObject({
      local: undefined,
      compressAbove: Infinity,
    });
  });

  test.each([
    ['redis', undefined],
    ['redis', 'redis://127.0.0.1'],
    ['redis', {}],
    ['prefix', undefined],
    ['prefix', ''],
    ['prefix', 'a{b}'],
    ['prefix', 'a b'],
    ['ttl', '5 minutes'],
    ['ttl', -1],
    ['ttl', 0],
    ['ttl', Number.NaN],
    ['ttl', '400d'],
    ['stale', '-1s'],
    ['negative', null],
    ['early', -1],
    ['early', '1'],
    ['local', true],
    ['local', { maxItems: 0 }],
    ['local', { maxBytes: 1.5 }],
    ['local', { ttl: 0 }],
    ['local', { trust: 'long' }],
    ['local', { values: 'cloned' }],
    ['local', { max: 5 }],
    ['serializer', null],
    ['serializer', { name: 'a b', encode: (): string => '', parse: (): number => 1 }],
    ['serializer', { name: 'a', encode: (): string => '' }],
    ['compress', true],
    ['compress', { above: -1 }],
    ['maxValueBytes', 0],
    ['schema', {}],
    ['lease', 10],
    ['redisTimeout', 0],
    ['loadTimeout', 0],
    ['heartbeat', 1],
    ['origin', { concurrency: 0 }],
    ['origin', { queue: -1 }],
    ['origin', { breakFor: 'x' }],
    ['origin', { breakAfter: 0 }],
    ['origin', { breakAfter: true }],
    ['origin', { isFailure: 5 }],
    ['origin', []],
    ['prefiks', 'a'],
  ])('%s: %o is refused by name', (name, value) => {
    const refused = (): unknown => new Cache({ ...valid, [name]: value } as CacheOptions);
    expect(refused).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(refused).toThrow(new RegExp(`^(options\\.)?${name}(\\.[a-zA-Z]+)?: expected `));
    expect(redis.status).toBe('wait');
  });

  test.each([
    ['stale', { ttl: '200d', stale: '200d' }],
    ['negative', { ttl: '5s', negative: '6s' }],
    ['lease', { lease: '1s', heartbeat: '600ms' }],
    ['loadTimeout', { loadTimeout: '1s', redisTimeout: '2s' }],
    ['compress.above', { compress: { above: 2_000 }, maxValueBytes: 1_000 }],
    ['local.trust', { local: { trust: '1s' } }],
  ] as const)('%s contradicts another option', (argument, options) => {
    expect(() => new Cache({ ...valid, ...options })).toThrow(expect.objectContaining({ argument }));
  });

  test('a client that reads from replicas is refused: they may not have heard yet', () => {
    const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true, scaleReads: 'slave' });
    const replica = new Redis({ lazyConnect: true, sentinels: [{ port: 1 }], name: 'taxi', role: 'slave' });
    for (const client of [cluster, replica]) {
      expect(() => new Cache({ ...valid, redis: client })).toThrow(
        /^redis: expected a client that reads from primaries/,
      );
      client.disconnect();
    }
  });

  test('a password is in no error', () => {
    expect(() => new Cache({ ...valid, redis: { ...redis.options } as never })).toThrow(
      /^redis: expected a client of ioredis[^2]*$/,
    );
  });
});

describe('calls', () => {
  const load = (): number => 1;

  test.each([
    ['key', (cache: Cache) => cache.get('', load)],
    ['key', (cache: Cache) => cache.get(5 as never, load)],
    ['key', (cache: Cache) => cache.get('x'.repeat(5_000), load)],
    ['load', (cache: Cache) => cache.get('a', undefined as never)],
    ['options', (cache: Cache) => cache.get('a', load, 5 as never)],
    ['options.tll', (cache: Cache) => cache.get('a', load, { tll: 5 } as never)],
    ['ttl', (cache: Cache) => cache.get('a', load, { ttl: '5 minutes' as never })],
    ['ttl', (cache: Cache) => cache.get('a', load, { ttl: Number.NaN })],
    ['stale', (cache: Cache) => cache.get('a', load, { stale: -1 })],
    ['negative', (cache: Cache) => cache.get('a', load, { negative: '1y' as never })],
    ['tags', (cache: Cache) => cache.get('a', load, { tags: 'zones' as never })],
    ['tags', (cache: Cache) => cache.get('a', load, { tags: [7 as never] })],
    ['tags', (cache: Cache) => cache.get('a', load, { tags: [''] })],
    ['fence', (cache: Cache) => cache.get('a', load, { fence: 7 as never })],
    ['fence', (cache: Cache) => cache.get('a', load, { fence: -1n })],
    ['signal', (cache: Cache) => cache.get('a', load, { signal: {} as never })],
    ['timeout', (cache: Cache) => cache.get('a', load, { timeout: -1 })],
    ['schema', (cache: Cache) => cache.get('a', load, { schema: (() => true) as never })],
    ['origin', (cache: Cache) => cache.get('a', load, { origin: 5 as never })],
    ['keys', (cache: Cache) => cache.getMany('a' as never, () => ({}))],
    ['keys', (cache: Cache) => cache.getMany(['a', ''], () => ({}))],
    ['load', (cache: Cache) => cache.getMany(['a'], 5 as never)],
    ['value', (cache: Cache) => cache.set('a', undefined)],
    ['ttl', (cache: Cache) => cache.set('a', 1, { ttl: 0 })],
    ['options.negative', (cache: Cache) => cache.set('a', 1, { negative: 1 } as never)],
    ['keys', (cache: Cache) => cache.delete(5 as never)],
    ['options.ttl', (cache: Cache) => cache.delete('a', { ttl: 3 } as never)],
    ['options.ttl', (cache: Cache) => cache.namespace('rides').delete('a', { ttl: 3 } as never)],
    ['entries', (cache: Cache) => cache.setMany(5 as never)],
    ['entries', (cache: Cache) => cache.setMany(null as never)],
    ['entries', (cache: Cache) => cache.setMany([5] as never)],
    [
      'entries',
      (cache: Cache) =>
        cache.setMany([
          ['a', 1],
          ['', 2],
        ]),
    ],
    ['tags', (cache: Cache) => cache.invalidate({ tags: [] })],
    ['tags', (cache: Cache) => cache.invalidate({ tags: 'zones' as never })],
    ['options', (cache: Cache) => cache.invalidate(undefined as never)],
    ['options.tag', (cache: Cache) => cache.invalidate({ tags: ['zones'], tag: 'days' } as never)],
    ['version', (cache: Cache) => cache.namespace('rides').moveTo('')],
    ['version', (cache: Cache) => cache.namespace('rides').moveTo('\ud800')],
    ['options', (cache: Cache) => cache.namespace('rides').moveTo('7', null as never)],
    ['options.ttl', (cache: Cache) => cache.namespace('rides').moveTo('7', { ttl: 3 } as never)],
    ['fence', (cache: Cache) => cache.namespace('rides').moveTo('7', { fence: '7' as never })],
    ['name', async (cache: Cache) => cache.namespace('a:b')],
    ['name', async (cache: Cache) => cache.wrap(load, { name: '' })],
    ['name', async (cache: Cache) => cache.wrap(load, { name: 'zone:x', key: () => '1' })],
    ['load', async (cache: Cache) => cache.wrap(5 as never, { name: 'a' })],
    ['key', async (cache: Cache) => cache.wrap(load, { name: 'a', key: () => ({}) as never })()],
    ['arguments[1].cache', async (cache: Cache) => cache.wrap(load as never, { name: 'a' })(1, { cache })],
  ] as const)('%s is named when it is no good: %o', async (argument, call) => {
    await using cache = new Cache({ ...valid, redisTimeout: 1 });
    await expect(call(cache)).rejects.toMatchObject({ code: 'invalid-argument', argument });
    expect(cache.stats().loads.started).toBe(0);
    expect(redis.status).toBe('wait');
  });
});
