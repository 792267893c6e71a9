import { eventually, type OwnServer } from '@quorate/testbed';
import slotOf from 'cluster-key-slot';
import { Cluster } from 'ioredis';
import { expect, test as plain } from 'vitest';
import { Cache, type CacheOptions } from '../src/index.ts';
import { hearing } from './fixture.ts';
import { RedisFamily } from './redis-family.ts';

interface Primary {
  readonly server: OwnServer;
  readonly its: readonly string[];
  readonly others: readonly string[];
}

interface Town {
  cache(
    options?: Partial<CacheOptions> & { readonly slotsRefreshInterval?: number },
  ): Promise<{ readonly cache: Cache; readonly redis: Cluster }>;
  /** A primary that has neither the clock of tags and versions nor anybody who listens; and the keys it has, and has not. */
  bystander(): Promise<Primary>;
  /** The primary that has the clock. */
  readonly timekeeper: Primary;
}

let towns = 0;

const test = plain
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the names of what a fixture needs from here.
  .extend('servers', { scope: 'file' }, async ({}, { onCleanup }) => {
    const family = await RedisFamily.open();
    onCleanup(() => family[Symbol.asyncDispose]());
    // Three primaries that nobody replaces.
    return await family.cluster({ replicas: false, nodeTimeout: 60_000 });
  })
  .extend('town', async ({ servers }, { onCleanup }): Promise<Town> => {
    const stack = new AsyncDisposableStack();
    onCleanup(() => stack.disposeAsync());
    towns += 1;
    const prefix = `taxi-${towns}`;
    const startup = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
    const connect = (slotsRefreshInterval = 500): Cluster => {
      const redis = new Cluster(startup, { slotsRefreshInterval }).on('error', () => {});
      stack.defer(() => redis.disconnect());
      return redis;
    };
    const first = connect();
    await eventually('the slots are known', () => first.slots.length > 16_000);
    const has = (server: OwnServer, key: string): boolean =>
      first.slots[slotOf(key)]?.[0]?.endsWith(`:${server.port}`) ?? false;
    const hasListeners = async ({ port }: OwnServer): Promise<boolean> => {
      const client = first.nodes('master').find(({ options }) => options.port === port);
      return String(await client?.client('LIST', 'TYPE', 'PUBSUB')).includes('addr=');
    };
    const all = Array.from({ length: 90 }, (_, index) => `zone ${index}`);
    const withKeys = (server: OwnServer): Primary => {
      const isIts = (key: string): boolean => has(server, `${prefix}:{${key}}`);
      return { server, its: all.filter(isIts), others: all.filter((key) => !isIts(key)) };
    };
    return {
      timekeeper: withKeys(servers.find((server) => has(server, `${prefix}:{shared}:clock`)) as OwnServer),
      bystander: async () => {
        // Those of the test before may be about to leave.
        const server = await eventually('a primary has no part', async () => {
          const listened = await Promise.all(servers.map(hasListeners));
          return servers.find((one, index) => !has(one, `${prefix}:{shared}:clock`) && !listened[index]);
        });
        return withKeys(server);
      },
      cache: async ({ slotsRefreshInterval, ...options } = {}) => {
        const redis = connect(slotsRefreshInterval);
        const settings = { prefix, heartbeat: 100, lease: 1_000, redisTimeout: 150, early: 0 };
        const cache = stack.use(new Cache({ redis, ...settings, ...options }));
        await cache.start();
        return { cache, redis };
      },
    };
  });

test('a primary that hangs takes its own keys away, and no others', async ({ town }) => {
  const { cache } = await town.cache();
  await hearing(cache);
  const { server, its, others } = await town.bystander();
  // It asks Redis for everything, so that it may listen to whom it likes.
  const { cache: other } = await town.cache({ local: false });
  await server.pause();
  try {
    await eventually('it is known to be away', async () => {
      await cache.set(its[0] as string, 'x').catch(() => {});
      return cache.health().status === 'warn';
    });
    expect(cache.health().detail).toContain('1 of 3 Redis nodes');
    for (let round = 0; round < 5; round += 1) await cache.setMany(others.map((key) => [key, round] as const));
    await cache.invalidate({ tags: ['zones'] });
    for (const key of others) expect(await other.get(key, () => 'not needed')).toBe(4);
    // Its own keys are refused without a wait: nothing was sent.
    await expect(cache.set(its[1] as string, 'x')).rejects.toMatchObject({ code: 'redis-unavailable' });
    expect(await cache.get(its[1] as string, () => 'from the origin')).toBe('from the origin');
  } finally {
    await server.resume();
  }
  await hearing(cache);
  await cache.set(its[0] as string, 'back');
});

test('what has been heard of one primary says nothing of another', async ({ town }) => {
  const { cache } = await town.cache({ local: { trust: 600 } });
  await hearing(cache);
  const { server, its, others } = await town.bystander();
  // It does not learn by itself where the slots are.
  const { cache: parted, redis } = await town.cache({ slotsRefreshInterval: 3_600_000 });
  await hearing(parted);
  const [suspect, known] = [its[0] as string, others[0] as string];
  for (const each of [cache, parted]) {
    for (const key of [suspect, known]) await each.get(key, () => 'known', { ttl: '10m' });
  }
  // Its client has no connection to it, and does not count it until it asks for one of its keys.
  redis
    .nodes('master')
    .find(({ options }) => options.port === server.port)
    ?.disconnect();
  await eventually('it is let go of', () => redis.nodes('master').length === 2);
  await eventually('Redis is asked', async () => {
    const { local } = parted.stats().hits;
    expect(await parted.get(suspect, () => 'anew')).toBe('known');
    return parted.stats().hits.local === local;
  });
  await server.pause();
  try {
    // Its entries may have been changed, for all that anybody can say; they are given out for as long as they are trusted.
    await eventually('it is asked for again', async () => (await cache.get(suspect, () => 'anew')) === 'anew');
    await eventually('the other is still known here', async () => {
      const { local } = cache.stats().hits;
      expect(await cache.get(known, () => 'anew')).toBe('known');
      return cache.stats().hits.local === local + 1;
    });
  } finally {
    await server.resume();
  }
});

test('without the primary that has the clock, what has no tags comes from the others as ever', async ({ town }) => {
  const { cache } = await town.cache({ local: false });
  await hearing(cache);
  const { server, others } = town.timekeeper;
  await cache.setMany(others.map((key) => [key, 'known'] as const));
  await server.pause();
  try {
    await eventually('it is known to be away', () => cache.health().status === 'warn');
    for (const key of others) expect(await cache.get(key, () => 'not needed')).toBe('known');
    await cache.set(others[0] as string, 'changed');
    expect(await cache.get(others[0] as string, () => 'not needed')).toBe('changed');
    expect(cache.stats().loads.started).toBe(0);
  } finally {
    await server.resume();
  }
});

test('times are by the clock of one primary, whatever those of the others read', async ({ town }) => {
  const { cache, redis } = await town.cache();
  const { cache: other } = await town.cache({ local: false });
  const wrong = redis.nodes('master').filter(({ options }) => options.port !== town.timekeeper.server.port);
  let asked = 0;
  for (const node of wrong) {
    const time = node.time.bind(node) as () => Promise<number[]>;
    // An hour ahead.
    const ahead = async (): Promise<unknown> => {
      const [seconds = 0, microseconds] = await time();
      asked += 1;
      return [Number(seconds) + 3_600, microseconds];
    };
    Object.assign(node, { time: ahead });
  }
  await hearing(cache, other);
  await eventually('their clocks were read', () => asked > 4);
  for (let index = 0; index < 90; index += 1) {
    const key = `zone ${index}`;
    await cache.set(key, 'fresh', { ttl: '1m' });
    expect(await other.get(key, () => 'not needed')).toBe('fresh');
    await other.set(key, 'fresh too', { ttl: '1m' });
    await eventually('it is heard', async () => (await cache.get(key, () => 'not needed')) === 'fresh too');
  }
});
