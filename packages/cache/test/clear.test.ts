import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { caches, clientOf, codeOf, hearing } from './fixture.ts';

test('clear forgets everything under the prefix, everywhere, and keeps nothing that was loaded meanwhile', async ({
  servers,
}) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const [a, b, bare] = [await c.cache(), await c.cache(), await c.cache({ local: false })];
  await hearing(a, b, bare);
  await a.set('plain', 1);
  await a.set('tagged', 1, { tags: ['t'] });
  await a.set('led', 1, { fence: 7n });
  await a.namespace('rides').moveTo('7');
  await a.namespace('rides').set('busiest', 1);
  const keys = ['plain', 'tagged', 'led'];
  for (const key of keys) expect(await b.get(key, () => 'not needed')).toBe(1);
  const { promise, resolve } = Promise.withResolvers<string>();
  const { started } = b.stats().loads;
  const loading = b.get('slow', () => promise);
  await eventually('it loads', () => b.stats().loads.started > started);
  await a.clear();
  for (const key of keys) expect(await a.has(key)).toBeUndefined();
  for (const other of [b, bare]) {
    await eventually('the others have forgotten', async () =>
      (await Promise.all(keys.map((key) => other.has(key)))).every((known) => known === undefined),
    );
  }
  expect(await a.namespace('rides').has('busiest')).toBeUndefined();
  expect(await a.namespace('rides').version()).toBe('7');
  resolve('from before');
  expect(await loading).toBe('from before');
  expect(await a.get('slow', () => 'after')).toBe('after');
  expect(await codeOf(b.set('led', 2, { fence: 6n }))).toBe('fenced');
  await a.set('plain', 2);
  for (const other of [b, bare]) {
    await eventually('it is heard', async () => (await other.get<unknown>('plain', () => 3)) === 2);
  }
});

test('a process that hears nothing keeps its values after a clear, and a record that is lost makes for misses', async ({
  servers,
}) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const redis = clientOf(servers.QUORATE_REDIS ?? '');
  const duplicate = redis.duplicate.bind(redis);
  // Where nobody listens.
  redis.duplicate = (options) => duplicate({ ...options, port: 1 });
  const [deaf, other] = [await c.cache({ redis }), await c.cache()];
  await hearing(other);
  await deaf.get('before', () => 'before');
  await other.clear();
  expect(await deaf.has('before')).toBeUndefined();
  await deaf.get('zone', () => 'after');
  expect(await other.get('zone', () => 'not needed')).toBe('after');
  await c.redis.del(`${c.prefix}:{shared}:clock`);
  const late = await c.cache();
  await hearing(late);
  expect(await late.get('zone', () => 'again')).toBe('again');
  expect(await late.get('zone', () => 'not needed')).toBe('again');
  redis.disconnect();
});

test('an option that clear does not have is refused', async ({ servers }) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const cache = await c.cache();
  await cache.set('zone', 1);
  await expect(cache.clear({ tags: ['zones'] } as object)).rejects.toThrow('options.tags: expected one of signal');
  expect(await cache.peek('zone')).toBe(1);
});
