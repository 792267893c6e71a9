import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import type { KeepOptions, LoadContext } from '../src/index.ts';
import { caches, counting, hearing } from './fixture.ts';

const keeping =
  (options: KeepOptions) =>
  (context: LoadContext): string => {
    context.keep(options);
    return 'value';
  };

test('a tag is remembered in Redis for hours after it was used, and not at all when no entry has it', async ({
  servers,
}) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const cache = await c.cache({ ttl: '5m' });
  await hearing(cache);
  await cache.get('zone', () => 'value', { tags: ['used'] });
  await cache.invalidate({ tags: ['used', 'never used'] });
  await cache.get('day', () => 'value', { tags: ['daily'], ttl: '1d', stale: '1d' });
  const left = (tag: string): Promise<number> => c.redis.pttl(`${c.prefix}:{shared}:tag:${tag}`);
  const hour = 3_600_000;
  expect(await left('used')).toBeGreaterThan(hour / 2);
  expect(await left('used')).toBeLessThanOrEqual(hour);
  // For as long as any entry lives that has it, and as long again.
  expect(await left('daily')).toBeGreaterThan(95 * hour);
  expect(await left('daily')).toBeLessThanOrEqual(96 * hour);
  expect(await left('never used')).toBe(-2);
  // Whoever uses it for longer says so in time.
  await c.redis.pexpire(`${c.prefix}:{shared}:tag:used`, 1_000);
  await cache.get('long', () => 'value', { tags: ['used'], ttl: '1d' });
  expect(await left('used')).toBeGreaterThan(47 * hour);
  // Also when its loader has thought of the tag, or of how long it lives.
  await cache.get('late', keeping({ tags: ['late'], ttl: '1d' }), { tags: ['early'] });
  for (const tag of ['late', 'early']) expect(await left(tag)).toBeGreaterThan(47 * hour);
  await cache.get('longer', keeping({ ttl: '2d' }), { tags: ['early'] });
  expect(await left('early')).toBeGreaterThan(95 * hour);
});

test('with more tags than a process remembers, its memory is used all the same, and word of each is heeded', async ({
  servers,
}) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  // A process that loads so much is late for its beats.
  const [cache, other] = [await c.cache({ ttl: '10m', heartbeat: '5s', lease: '10s' }), await c.cache()];
  await hearing(cache, other);
  const { load } = counting();
  const tagsOf = (index: number): string[] => Array.from({ length: 10 }, (_, nth) => `tag ${10 * index + nth}`);
  const get = (index: number): Promise<number> => cache.get(`zone ${index}`, load, { tags: tagsOf(index) });
  // 52,000 tags: 50,000 are remembered.
  const all = Array.from({ length: 5_200 }, (_, index) => index);
  for (let from = 0; from < all.length; from += 1_000) await Promise.all(all.slice(from, from + 1_000).map(get));
  const before = cache.stats();
  for (const index of all) await get(index);
  const after = cache.stats();
  expect(after.hits.local - before.hits.local).toBe(all.length);
  expect(after.loads.started).toBe(before.loads.started);
  for (const [index, tag] of [
    [0, 'tag 0'],
    [5_199, 'tag 51999'],
  ] as const) {
    const known = await get(index);
    await other.invalidate({ tags: [tag] });
    await eventually('it is forgotten', async () => (await get(index)) !== known);
  }
  expect(cache.stats().loads.started).toBe(before.loads.started + 2);
});

test('a load goes on, and is joined and kept, when a tag is invalidated that it does not have', async ({ servers }) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const [cache, other] = [await c.cache(), await c.cache()];
  await hearing(cache, other);
  const { promise, resolve } = Promise.withResolvers<string>();
  const never = (): Promise<string> => Promise.reject(new Error('not needed'));
  for (const tags of [[], ['mine']]) {
    const key = `zone ${tags.length}`;
    const loading = cache.get(key, () => promise, { tags });
    await cache.get('marker', () => 'old', { tags: ['theirs'] });
    await other.invalidate({ tags: ['theirs'] });
    await eventually(
      'it has heard',
      async () => (await cache.get('marker', () => 'new', { tags: ['theirs'] })) === 'new',
    );
    await cache.delete('marker');
    const joined = cache.get(key, never, { tags });
    resolve('value');
    expect(await Promise.all([loading, joined])).toEqual(['value', 'value']);
    await eventually('it is kept', async () => (await cache.get(key, never, { tags })) === 'value');
    const { local } = cache.stats().hits;
    expect(await cache.get(key, never, { tags })).toBe('value');
    expect(cache.stats().hits.local).toBe(local + 1);
  }
  expect(cache.stats()).toMatchObject({ loads: { started: 6 }, notKept: 0 });
});

test.for([
  ['half a minute', 30_000],
  ['an hour', 3_600_000],
] as const)(
  'a server whose clock is behind what was said before, by %s, says nothing that is earlier, and is heeded',
  async ([, behind], { servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const record = (name: string): string => `${c.prefix}:{shared}:${name}`;
    const ahead = 1_000 * (Date.now() + behind);
    await c.redis.mset(record('clock'), `${ahead} 0`, record('version:rides'), `${ahead} old`);
    const [cache, other] = [await c.cache(), await c.cache()];
    await hearing(cache, other);
    const both = [cache, other];
    let value = 'old';
    const read = (key: string, tag: string): Promise<string[]> =>
      Promise.all(both.map((each) => each.get(key, () => value, { tags: [tag] })));
    const versions = (): Promise<string[]> => Promise.all(both.map((each) => each.namespace('rides').version()));
    expect(await read('zone', 'zones')).toEqual(['old', 'old']);
    expect(await versions()).toEqual(['old', 'old']);
    const lost = (): Promise<number> => c.redis.del(record('clock'), record('version:rides'));
    const changed = async (change: () => Promise<void>, ...about: readonly [string, string]): Promise<void> => {
      value = `after ${about[0]}`;
      await change();
      await eventually('both have heard', async () => (await read(...about)).every((each) => each === value));
    };
    await lost();
    await changed(() => cache.invalidate({ tags: ['zones'] }), 'zone', 'zones');
    await lost();
    await changed(() => cache.clear(), 'zone', 'zones');
    // Whoever has never known what was said before hears of it from those who ask.
    await lost();
    await read('day', 'days');
    const late = await c.cache();
    await hearing(late);
    await changed(() => late.invalidate({ tags: ['days'] }), 'day', 'days');
    await cache.namespace('rides').moveTo('new');
    await eventually('both have heard', async () => (await versions()).every((version) => version === 'new'));
  },
);
