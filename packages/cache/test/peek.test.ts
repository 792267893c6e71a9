import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { structuredClone } from '../src/index.ts';
import { caches, codeOf, hearing } from './fixture.ts';

describe('looking without loading', () => {
  test('gives what this process or Redis has, and never loads', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache(), await c.cache()];
    await hearing(a, b);
    expect([await a.peek('zone'), await a.has('zone')]).toEqual([undefined, undefined]);
    await a.get('zone', () => ({ id: 7 }));
    for (const cache of [a, b, b])
      expect([await cache.peek('zone'), await cache.has('zone')]).toEqual([{ id: 7 }, true]);
    // Known to be absent is not the same as not known.
    await a.get('none', () => undefined);
    for (const cache of [a, b]) expect([await cache.peek('none'), await cache.has('none')]).toEqual([undefined, false]);
    await a.get('null', () => null);
    expect([await b.peek('null'), await b.has('null')]).toEqual([null, true]);
    expect([a.stats().loads.started, b.stats().loads.started]).toEqual([3, 0]);
  });

  test('gives nothing that was deleted or invalidated, checks shapes, and copies where values are copied', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const options = { serializer: structuredClone, local: { values: 'copied' } } as const;
    const [a, b] = [await c.cache(options), await c.cache(options)];
    await hearing(a, b);
    await a.set('zone', { ids: [1n] }, { tags: ['zones'] });
    for (const cache of [a, b]) {
      const value = await cache.peek<{ ids: bigint[] }>('zone');
      value?.ids.push(2n);
      expect(await cache.peek('zone')).toEqual({ ids: [1n] });
    }
    const schema = { '~standard': { version: 1, validate: () => ({ issues: ['expected text'] }) } } as const;
    expect(await a.peek('zone', { schema })).toBeUndefined();
    // Both have it in their process too.
    for (const cache of [a, b]) await cache.get('zone', () => 'not needed');
    await eventually('it is there', () => a.stats().local.items + b.stats().local.items === 2);
    await b.invalidate({ tags: ['zones'] });
    expect(await b.has('zone')).toBeUndefined();
    await eventually('the other has heard', async () => (await a.has('zone')) === undefined);
    await a.set('other', 1);
    await a.delete('other');
    expect(await a.has('other')).toBeUndefined();
  });

  test('in a namespace: at the version of this moment', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache(), await c.cache()];
    await hearing(a, b);
    const [rides, others] = [a.namespace('rides'), b.namespace('rides')];
    expect([await rides.peek('busiest'), await rides.has('busiest')]).toEqual([undefined, undefined]);
    await rides.get('busiest', ({ version }) => `of ${version}`);
    await rides.get('none', () => undefined);
    for (const each of [rides, others, others]) {
      expect([await each.peek('busiest'), await each.has('none')]).toEqual(['of 0', false]);
    }
    // A key of the cache itself may have the same name, and is another.
    expect(await a.has('rides@0:busiest')).toBeUndefined();
    await rides.moveTo('7');
    expect([await rides.peek('busiest'), await rides.has('none')]).toEqual([undefined, undefined]);
    await eventually('the other is there', async () => (await others.has('busiest')) === undefined);
    await expect(rides.peek('')).rejects.toMatchObject({ argument: 'key' });
  });

  test('gives a stale value, and what this process has while Redis is away; refuses what is no good', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ ttl: 50, stale: '1m' });
    await cache.set('zone', 'old');
    await eventually('it is stale', async () => (await c.redis.pttl(`${c.prefix}:{zone}`)) < 59_950);
    expect([await cache.peek('zone'), await cache.has('zone')]).toEqual(['old', true]);
    expect(cache.stats().loads.started).toBe(0);

    await using alone = caches('redis://127.0.0.1:1');
    const away = await alone.cache({ redisTimeout: 50 });
    expect(await away.has('zone')).toBeUndefined();
    await away.get('zone', () => 'from the origin');
    expect(await away.peek('zone')).toBe('from the origin');
    await expect(away.peek('')).rejects.toMatchObject({ argument: 'key' });
    await expect(away.peek('a', { tags: [] } as never)).rejects.toMatchObject({ argument: 'options.tags' });
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(away.peek('a', { signal: aborted })).rejects.toThrow('enough');
    await away.stop();
    expect(await codeOf(away.peek('zone'))).toBe('cache-closed');
  });
});
