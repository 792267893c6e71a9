import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { Cache } from '../src/index.ts';
import { caches, clientOf, codeOf, hearing, heldReplies } from './fixture.ts';

test('the first write of a process that was not started is read by everybody', async ({ servers }) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const other = await c.cache();
  await hearing(other);
  const redis = clientOf(servers.QUORATE_REDIS ?? '');
  await using cache = new Cache({ redis, prefix: c.prefix });
  await cache.set('plain', 'written');
  await cache.set('led', 'written', { fence: 1n });
  for (const key of ['plain', 'led']) expect(await other.get(key, () => 'not needed')).toBe('written');
  redis.disconnect();
});

test('what a caller has given up waiting for is not kept when it was changed meanwhile', async ({ servers }) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const redis = clientOf(servers.QUORATE_REDIS ?? '');
  const reads = heldReplies(redis, 'getBuffer');
  const [slow, other] = [await c.cache({ redis, heartbeat: '5s', lease: '10s' }), await c.cache()];
  await hearing(slow, other);
  await other.set('zone', 'old');
  await other.set('marker', 'old');
  expect(await slow.get('marker', () => 'not needed')).toBe('old');
  reads.hold();
  expect(await codeOf(slow.get('zone', () => 'not needed', { timeout: 30 }))).toBe('deadline-exceeded');
  await other.set('zone', 'new');
  await other.delete('marker');
  await eventually(
    'word has come',
    async () => (await slow.peek('marker', { timeout: 20 }).catch(() => undefined)) !== 'old',
  );
  reads.release();
  await eventually('it reads', async () => (await slow.get('marker', () => 'loaded')) === 'loaded');
  expect(await slow.get('zone', () => 'not needed')).toBe('new');
  redis.disconnect();
});

test('a load that was overtaken leaves the lease of the next one alone', async ({ servers }) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const options = { lease: 400, heartbeat: 100 };
  const [cache, other] = [await c.cache(options), await c.cache(options)];
  await hearing(cache, other);
  const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const began = (loads: number) => () => cache.stats().loads.started === loads;
  const one = cache.get('zone', () => first.promise);
  await eventually('the first loads', began(1));
  await cache.delete('zone');
  const two = cache.get('zone', () => second.promise);
  await eventually('the second loads', began(2));
  first.resolve('first');
  expect(await one).toBe('first');
  const waiting = other.get('zone', () => 'loaded twice');
  const since = performance.now();
  await eventually('several leases are over', () => performance.now() - since > 3 * options.lease);
  second.resolve('second');
  expect(await Promise.all([two, waiting])).toEqual(['second', 'second']);
});

test.for([
  ['a tag', 'tag:zones', 'hello'],
  ['the clock', 'clock', 'hello'],
  ['the clock, by its former shape', 'clock', '1700000000000000'],
] as const)(
  "another's record in place of %s is replaced, and invalidations go on",
  async ([, name, text], { servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    await c.redis.set(`${c.prefix}:{shared}:${name}`, text);
    const [cache, other] = [await c.cache(), await c.cache()];
    await hearing(cache, other);
    let version = 'old';
    const read = (from: Cache): Promise<string> => from.get('zone', () => version, { tags: ['zones'] });
    expect(await read(cache)).toBe('old');
    expect(await read(other)).toBe('old');
    version = 'new';
    await other.invalidate({ tags: ['zones'] });
    for (const each of [cache, other]) await eventually('it is forgotten', async () => (await read(each)) === 'new');
    version = 'newest';
    await cache.clear();
    for (const each of [cache, other])
      await eventually('all is forgotten', async () => (await read(each)) === 'newest');
  },
);

test("another's record in place of a lease fails what is done with its key, and nothing that leaves with it", async ({
  servers,
}) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const cache = await c.cache();
  await hearing(cache);
  await c.redis.rpush(`${c.prefix}:{bad}:lease`, 'hello');
  const keys = ['one', 'bad', 'two'];
  expect(await Promise.all(keys.map((key) => cache.get(key, () => 'loaded')))).toEqual(['loaded', 'loaded', 'loaded']);
  const kept = keys.map((key) => c.redis.exists(`${c.prefix}:{${key}}`));
  expect(await Promise.all(kept)).toEqual([1, 0, 1]);
  const set = await Promise.allSettled(keys.map((key) => cache.set(key, 'set')));
  expect(set.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(set[1]).toMatchObject({
    reason: { code: 'redis-refused', cause: { message: expect.stringContaining('WRONGTYPE') } },
  });
});

test('word that says it is from the future is not believed', async ({ servers }) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const cache = await c.cache();
  await hearing(cache);
  for (const text of ['t9999999999999999 ["zones"]', 'c9999999999999999', 'v9999999999999999 ["rides","wrong"]']) {
    await c.redis.publish(`${c.prefix}:changes`, text);
  }
  await c.redis.publish(`${c.prefix}:changes`, `k${'x'.repeat(12)} marker`);
  let version = 'old';
  const read = (): Promise<string> => cache.get('zone', () => version, { tags: ['zones'] });
  expect(await read()).toBe('old');
  version = 'new';
  await cache.invalidate({ tags: ['zones'] });
  expect(await read()).toBe('new');
  await cache.namespace('rides').moveTo('right');
  expect(await cache.namespace('rides').version()).toBe('right');
});

test('keys that Redis could not tell apart are refused', async ({ servers }) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const cache = await c.cache();
  for (const key of ['\ud800', 'zone \udc00']) {
    expect(await codeOf(cache.get(key, () => 1))).toBe('invalid-argument');
    expect(await codeOf(cache.set('zone', 1, { tags: [key] }))).toBe('invalid-argument');
  }
});

test('in an outage a tagged value that was loaded is given out again, and a stale one where the origin fails', async ({
  servers,
}) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const redis = clientOf(servers.QUORATE_REDIS ?? '', { retryStrategy: () => null });
  const cache = await c.cache({ redis, stale: '1m' });
  await hearing(cache);
  redis.disconnect();
  await eventually('it is away', () => cache.health().status === 'warn');
  expect(await cache.get('zone', () => 'loaded', { tags: ['zones'] })).toBe('loaded');
  expect(await cache.get('zone', () => 'not needed', { tags: ['zones'] })).toBe('loaded');
  // Stale, and found by the call that notices the silence.
  const second = clientOf(servers.QUORATE_REDIS ?? '');
  const late = await c.cache({
    redis: second,
    stale: '1m',
    redisTimeout: 100,
    heartbeat: '20s',
    lease: '40s',
    local: { trust: '1m' },
  });
  await hearing(late);
  await late.set('short', 'stale', { ttl: 1 });
  await late.get('short', () => 'stale', { ttl: 1 });
  Object.assign(second, { getBuffer: () => Promise.reject(new Error('Connection is closed.')) });
  const failing = (): Promise<string> => Promise.reject(new Error('the origin fails'));
  expect(await late.get('short', failing)).toBe('stale');
  second.disconnect();
});
