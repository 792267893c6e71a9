import { once } from 'node:events';
import { createServer } from 'node:net';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { Cache, type CacheOptions, type Schema } from '../src/index.ts';
import { type Caches, caches, clientOf, codeOf, hearing } from './fixture.ts';

const test = bedTest({ redis: 1 });

interface Bed {
  readonly redis: { urlAt(address: string): string };
  link(a: string, b: string): { readonly address: Promise<string> };
}

/** A cache behind a link that can be broken. */
async function linked(c: Caches, bed: Bed, name: string, options: Partial<CacheOptions> = {}): Promise<Cache> {
  const redis = clientOf(bed.redis.urlAt(await bed.link(name, 'redis-1').address));
  const cache = await c.cache({ redis, redisTimeout: 200, ...options });
  return cache;
}

async function away(cache: Cache): Promise<void> {
  await eventually('Redis is away', () => cache.health().detail?.includes('Redis does not answer'));
}

describe('a black hole between the process and Redis', () => {
  test('calls are answered within the deadline, from this process and the origin, and health says so', async ({
    bed,
  }) => {
    await using c = caches(bed.redis.url);
    const cache = await linked(c, bed, 'hole');
    await hearing(cache);
    await cache.get('known', () => 'known');
    const link = bed.link('hole', 'redis-1');
    await link.set({ blackHole: true });
    const begin = performance.now();
    const values = await Promise.all([
      cache.get('known', () => 'anew'),
      ...Array.from({ length: 100 }, (_, index) => cache.get(`new ${index}`, () => 'loaded')),
    ]);
    // Twice what one answer of Redis may take, and a busy machine.
    expect(performance.now() - begin).toBeLessThan(2 * 200 + 1_000);
    expect(new Set(values)).toEqual(new Set(['known', 'loaded']));
    await away(cache);
    expect(cache.health()).toMatchObject({ status: 'warn', parts: { redis: { status: 'warn' } } });
    // From then on nobody waits for Redis at all.
    let slowest = 0;
    for (let index = 0; index < 100; index += 1) {
      const before = performance.now();
      expect(await cache.get(`new ${index}`, () => 'anew')).toBe('loaded');
      expect(await cache.get('known', () => 'anew')).toBe('known');
      slowest = Math.max(slowest, performance.now() - before);
    }
    const unknown = performance.now();
    for (let index = 0; index < 20; index += 1) await cache.get(`unknown ${index}`, () => 'loaded');
    expect(performance.now() - unknown).toBeLessThan(20 * 200);
    expect(slowest).toBeLessThan(200);
    expect(cache.stats().redisSilences).toBeGreaterThan(0);
    await link.heal();
    await hearing(cache);
    expect(await cache.get('known', () => 'anew')).toBe('known');
  });

  test('an invalidation that was missed is made up for the moment Redis is heard again', async ({ bed }) => {
    await using c = caches(bed.redis.url);
    const [cut, free] = [await linked(c, bed, 'missed'), await c.cache()];
    await hearing(cut, free);
    const tags = ['zones'];
    await cut.get('zone', () => 'old', { tags });
    await cut.get('plain', () => 'old');
    const link = bed.link('missed', 'redis-1');
    await link.set({ blackHole: true });
    await away(cut);
    await free.invalidate({ tags });
    await free.set('plain', 'new');
    expect(await cut.get('zone', () => 'new', { tags })).toBe('old');
    expect(await cut.get('plain', () => 'loaded')).toBe('old');
    // What was on its way is lost with the connections.
    await link.reset();
    await link.heal();
    await hearing(cut);
    expect(await cut.get('plain', () => 'loaded')).toBe('new');
    await eventually('it is forgotten', async () => (await cut.get('zone', () => 'new', { tags })) === 'new');
  });

  test('what is in the process is trusted for so long and no longer', async ({ bed }) => {
    await using c = caches(bed.redis.url);
    const trust = 1_000;
    const cache = await linked(c, bed, 'trust', { ttl: '10m', local: { trust } });
    await hearing(cache);
    await cache.get('zone', () => 'old');
    const loaded = performance.now();
    // It counts from the last word of Redis, not from the load.
    await eventually('it is older than that', () => performance.now() - loaded > trust);
    const begin = performance.now();
    await bed.link('trust', 'redis-1').set({ blackHole: true });
    await eventually('it is loaded anew', async () => (await cache.get('zone', () => 'new')) === 'new');
    const after = performance.now() - begin;
    expect(after).toBeGreaterThan(trust - 400);
    expect(after).toBeLessThan(trust + 2_000);
    await bed.heal();
  });

  test.for(['hole-writes', 'client-side'] as const)(
    'writes that cannot be sent say so, and those without an answer are ambiguous: %s',
    async (name, { bed }) => {
      await using c = caches(bed.redis.url);
      const cache = await linked(c, bed, name, { heartbeat: 400, lease: 800 });
      await hearing(cache);
      const link = bed.link(name, 'redis-1');
      await link.set({ blackHole: name === 'client-side' ? name : true });
      // Nobody knows yet that there is a black hole.
      expect(await codeOf(cache.set('zone', 1))).toBe('ambiguous');
      await away(cache);
      expect(await codeOf(cache.set('zone', 1))).toBe('redis-unavailable');
      expect(await codeOf(cache.delete('zone'))).toBe('redis-unavailable');
      expect(await codeOf(cache.invalidate({ tags: ['zones'] }))).toBe('redis-unavailable');
      expect(await codeOf(cache.namespace('rides').moveTo('7'))).toBe('redis-unavailable');
      await link.heal();
    },
  );

  test('the origin is not overrun: so many at a time, so many waiting, and the rest are told', async ({ bed }) => {
    await using c = caches(bed.redis.url);
    const cache = await linked(c, bed, 'bulkhead', { origin: { concurrency: 3, queue: 5 } });
    await hearing(cache);
    await bed.link('bulkhead', 'redis-1').set({ blackHole: true });
    await away(cache);
    const { promise, resolve } = Promise.withResolvers<string>();
    let [running, most] = [0, 0];
    const load = async (): Promise<string> => {
      running += 1;
      most = Math.max(most, running);
      await promise;
      running -= 1;
      return 'loaded';
    };
    const all = Array.from({ length: 20 }, (_, index) => cache.get(`zone ${index}`, load).catch((error) => error.code));
    await eventually('some are refused', () => cache.stats().loads.refused === 12);
    resolve('go');
    const answers = await Promise.all(all);
    expect(answers.filter((answer) => answer === 'loaded')).toHaveLength(8);
    expect(answers.filter((answer) => answer === 'overloaded')).toHaveLength(12);
    expect(most).toBe(3);
    await bed.heal();
  });
});

describe('a Redis that is not there', () => {
  test('from the beginning: the cache works from the origin, and takes up Redis when it comes', async ({ bed }) => {
    await using c = caches(bed.redis.url);
    const link = bed.link('late', 'redis-1');
    const redis = clientOf(bed.redis.urlAt(await link.address), { retryStrategy: () => 50 });
    await link.set({ refuse: true });
    const cache = await c.cache({ redis, redisTimeout: 100 });
    expect(await cache.get('zone', () => 'loaded')).toBe('loaded');
    expect(await cache.get('zone', () => 'anew')).toBe('loaded');
    expect(cache.health().status).toBe('warn');
    // Which version a namespace is at cannot be guessed.
    expect(await codeOf(cache.namespace('rides').get('zone', () => 'loaded'))).toBe('redis-unavailable');
    await link.heal();
    await hearing(cache);
    await cache.set('zone', 'written');
    expect(await cache.get('zone', () => 'anew')).toBe('written');
    redis.disconnect();
  });

  test('a server that accepts and says nothing does not hold anybody up', async ({ bed }) => {
    await using c = caches(bed.redis.url);
    const server = createServer((socket) => socket.on('error', () => {}).resume());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const redis = clientOf(`redis://127.0.0.1:${port}`);
    const cache = await c.cache({ redis, redisTimeout: 100 });
    const begin = performance.now();
    expect(await cache.get('zone', () => 'loaded')).toBe('loaded');
    expect(performance.now() - begin).toBeLessThan(2_000);
    redis.disconnect();
    server.close();
  });

  test('killed and started again under load: no caller sees an error, and what changed meanwhile is not missed', async ({
    bed,
  }) => {
    await using c = caches(bed.redis.url);
    const all = await Promise.all([1, 2].map(() => c.cache({ redisTimeout: 200 })));
    await hearing(...all);
    let over = false;
    const errors: unknown[] = [];
    const callers = all.flatMap((cache) =>
      Array.from({ length: 8 }, async (_, caller) => {
        for (let round = 0; !over; round += 1) {
          await cache
            .get(`zone ${(round * 7 + caller) % 200}`, () => 'loaded', { tags: ['zones'] })
            .catch((error) => errors.push(error));
          if (round % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      }),
    );
    await bed.redis.primary.kill();
    for (const cache of all) await away(cache);
    await bed.redis.primary.restart();
    await hearing(...all);
    over = true;
    await Promise.all(callers);
    expect(errors).toEqual([]);
    await all[0]?.invalidate({ tags: ['zones'] });
    await eventually('both forget', async () => {
      const values = await Promise.all(all.map((cache) => cache.get('zone 3', () => 'new', { tags: ['zones'] })));
      return values.every((value) => value === 'new');
    });
  });

  test('paused: callers are answered, and nothing that was sent into the pause overwrites what came after', async ({
    bed,
  }) => {
    await using c = caches(bed.redis.url);
    const cache = await c.cache({ redisTimeout: 200 });
    await hearing(cache);
    await bed.redis.primary.pause();
    const loading = cache.get('zone', () => 'loaded in the pause');
    expect(await loading).toBe('loaded in the pause');
    await away(cache);
    await bed.redis.primary.resume();
    await hearing(cache);
    await cache.set('zone', 'after');
    expect(await cache.get('zone', () => 'anew')).toBe('after');
  });

  test('when all data is flushed, what processes have is at most as old as they allow, and new values are kept again', async ({
    bed,
  }) => {
    await using c = caches(bed.redis.url);
    const [a, b] = [await c.cache(), await c.cache()];
    await hearing(a, b);
    const tags = ['zones'];
    await a.get('zone', () => 'old', { tags });
    await a.invalidate({ tags: ['elsewhere'] });
    await c.redis.flushall();
    expect(await b.get('zone', () => 'new', { tags })).toBe('new');
    await b.invalidate({ tags });
    await eventually('both forget', async () => {
      const values = await Promise.all([a, b].map((cache) => cache.get('zone', () => 'newer', { tags })));
      return values.every((value) => value === 'newer');
    });
  });
});

test('a Redis that keeps its data on disk knows the newest token after a crash, of deleted keys and namespaces too', async ({
  bed,
}) => {
  await using c = caches(bed.redis.url);
  const [former, next] = [await c.cache({ redisTimeout: 500 }), await c.cache({ redisTimeout: 500 })];
  await c.redis.config('SET', 'appendfsync', 'always');
  await next.set('dataset', 'by 2', { fence: 2n });
  await next.delete('dataset', { fence: 2n });
  await next.namespace('rides').moveTo('b', { fence: 2n });
  await bed.redis.primary.kill();
  for (const cache of [former, next]) await away(cache);
  await bed.redis.primary.restart();
  await hearing(former, next);
  expect(await codeOf(former.set('dataset', 'by 1', { fence: 1n }))).toBe('fenced');
  expect(await codeOf(former.get('dataset', () => 'by 1', { fence: 1n }))).toBe('fenced');
  expect(await codeOf(former.namespace('rides').moveTo('a', { fence: 1n }))).toBe('fenced');
  expect(await former.namespace('rides').version()).toBe('b');
});

test('a connection for changes that is lost alone: nothing local is given out unasked until it is back', async ({
  bed,
}) => {
  await using c = caches(bed.redis.url);
  const [a, b] = [await c.cache(), await c.cache()];
  await hearing(a, b);
  await a.get('zone', () => 'old');
  await c.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await b.set('zone', 'new');
  expect(await a.get('zone', () => 'loaded')).toBe('new');
  await hearing(a, b);
  expect(await a.get('zone', () => 'loaded')).toBe('new');
});

test('stop ends the wait of all, whatever they wait for: what was sent is in doubt', async ({ bed }) => {
  await using c = caches(bed.redis.url);
  let asked = 0;
  const validate = (): Promise<never> => {
    asked += 1;
    return new Promise(() => {});
  };
  const schema: Schema = { '~standard': { version: 1, validate } };
  const patient = { schema, redisTimeout: '20s', loadTimeout: '1h', heartbeat: '5s', lease: '10s' } as const;
  const [cache, other] = [await c.cache(patient), await c.cache()];
  await other.set('zone', 'value');
  await hearing(cache);
  const load = (): string => 'loaded';
  const reading = (on: Cache): Promise<unknown>[] => [
    codeOf(on.get('night', load)),
    codeOf(on.peek('night')),
    codeOf(on.namespace('rides').get('night', load)),
  ];
  const waiting = [codeOf(cache.get('zone', load)), codeOf(cache.peek('zone')), codeOf(cache.set('day', 'value'))];
  await eventually('the schema is asked', () => asked === 3);
  await bed.redis.primary.pause();
  try {
    waiting.push(...reading(cache));
    const sent = [
      codeOf(cache.delete('day')),
      codeOf(cache.clear()),
      codeOf(cache.invalidate({ tags: ['zones'] })),
      codeOf(cache.namespace('rides').moveTo('7')),
    ];
    await new Promise((resolve) => setImmediate(resolve));
    waiting.push(codeOf(cache.delete('day')));
    const nobody = clientOf('redis://127.0.0.1:1');
    const unmet = new Cache({ redis: nobody, prefix: c.prefix, ...patient });
    waiting.push(...reading(unmet), codeOf(unmet.delete('day')));
    const begin = performance.now();
    const stopping = cache.stop();
    expect(cache.stop()).toBe(stopping);
    await Promise.all([stopping, unmet.stop()]);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['cache-closed']));
    expect(new Set(await Promise.all(sent))).toEqual(new Set(['ambiguous']));
    expect(performance.now() - begin).toBeLessThan(5_000);
    nobody.disconnect();
  } finally {
    await bed.redis.primary.resume();
  }
});

test('after dispose nothing is left: no connection, no lease, no caller who waits', async ({ bed }) => {
  await using c = caches(bed.redis.url);
  // By a name of their own: those of the test before may still be leaving, or be let in only now.
  const connectionName = 'to-be-disposed';
  const clients = async (): Promise<string[]> =>
    String(await c.redis.client('LIST'))
      .split('\n')
      .filter((client) => client.includes(` name=${connectionName} `));
  const redis = clientOf(bed.redis.url, { connectionName });
  const cache = await c.cache({ redis });
  await hearing(cache);
  expect(await clients()).toHaveLength(2);
  let told: unknown;
  const waiting = codeOf(
    cache.get('zone', ({ signal }) => {
      signal.addEventListener('abort', () => {
        told = signal.reason;
      });
      return new Promise(() => {});
    }),
  );
  await eventually('it loads', () => cache.stats().loads.started === 1);
  await cache[Symbol.asyncDispose]();
  await cache.stop();
  expect(await waiting).toBe('cache-closed');
  expect(told).toMatchObject({ code: 'cache-closed' });
  expect(await codeOf(cache.get('zone', () => 1))).toBe('cache-closed');
  expect(await codeOf(cache.set('zone', 1))).toBe('cache-closed');
  expect(cache.health().status).toBe('fail');
  expect(await redis.ping()).toBe('PONG');
  expect(await c.redis.keys(`${c.prefix}:{zone}*`)).toEqual([]);
  redis.disconnect();
  await eventually('its connections are gone', async () => (await clients()).length === 0);
});
