import { on } from 'node:events';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { describe, expect } from 'vitest';
import type { Cache } from '../src/index.ts';
import { caches, clientOf, codeOf, hearing } from './fixture.ts';

/** What `docs/cache.md` promises: within this time every process has forgotten. */
const promised = 100;

describe('tags', () => {
  test('one write forgets every key that has the tag, in this process at once, in all others within 100 ms', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const all = await Promise.all([1, 2, 3, 4].map(() => c.cache()));
    await hearing(...all);
    const [first] = all as [Cache];
    const keys = Array.from({ length: 200 }, (_, index) => `zone ${index}`);
    for (const cache of all) {
      await cache.getMany(keys, (missing) => Object.fromEntries(missing.map((key) => [key, 'old'])), {
        tags: ['zones', 'other'],
      });
    }
    await first.get('apart', () => 'old', { tags: ['other'] });
    const delays: number[] = [];
    for (let round = 1; round <= 10; round += 1) {
      await first.invalidate({ tags: ['zones'] });
      const invalidated = performance.now();
      const there = (): Promise<string[]> =>
        Promise.all(all.map((cache) => cache.get('zone 199', () => `new ${round}`, { tags: ['zones'] })));
      await eventually('all have forgotten', async () => (await there()).every((value) => value === `new ${round}`), {
        every: 1,
      });
      delays.push(performance.now() - invalidated);
      const load = (missing: readonly string[]): Record<string, string> =>
        Object.fromEntries(missing.map((key) => [key, `new ${round}`]));
      const here = await first.getMany(keys, load, { tags: ['zones'] });
      expect(new Set(here.values())).toEqual(new Set([`new ${round}`]));
    }
    // On a busy machine one or the other may take longer.
    expect(delays.sort((a, b) => a - b)[5]).toBeLessThan(promised);
    expect(await first.get('apart', () => 'new')).toBe('old');
  });

  test('a load that began before an invalidation is forgotten with it', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache(), await c.cache()];
    await hearing(a, b);
    const { promise, resolve } = Promise.withResolvers<string>();
    const began = Promise.withResolvers<void>();
    const loading = a.get(
      'zone',
      () => {
        began.resolve();
        return promise;
      },
      { tags: ['zones'] },
    );
    await began.promise;
    await b.invalidate({ tags: ['zones'] });
    // Who asks from now on must not be given what was loaded before; who asked before may.
    const after = b.get('zone', () => 'after', { tags: ['zones'] });
    resolve('before');
    expect(await loading).toBe('before');
    expect(await after).toBe('after');
    for (const cache of [a, b])
      await eventually('it is gone', async () => (await cache.get('zone', () => 'after')) === 'after');
  });

  test('the caller who invalidates never joins a load from before, even when the loader thinks of the tag at its end', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache();
    await hearing(cache);
    const { promise, resolve } = Promise.withResolvers<string>();
    const began = Promise.withResolvers<void>();
    const loading = cache.get('zone', async (context) => {
      began.resolve();
      const value = await promise;
      context.keep({ tags: ['late'] });
      return value;
    });
    await began.promise;
    await cache.invalidate({ tags: ['late'] });
    const after = cache.get('zone', () => 'after');
    resolve('before');
    expect(await loading).toBe('before');
    expect(await after).toBe('after');
  });

  test('once a process has heard of an invalidation, nobody in it joins a load from before', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [here, there] = [await c.cache(), await c.cache()];
    await hearing(here, there);
    await here.get('marker', () => 'old', { tags: ['zones'] });
    const { promise, resolve } = Promise.withResolvers<string>();
    const began = Promise.withResolvers<void>();
    const loading = here.get('zone', async (context) => {
      began.resolve();
      const value = await promise;
      context.keep({ tags: ['zones'] });
      return value;
    });
    await began.promise;
    await there.invalidate({ tags: ['zones'] });
    await eventually('it has heard', async () => (await here.get('marker', () => 'new')) === 'new');
    const after = here.get('zone', () => 'after');
    resolve('before');
    expect(await loading).toBe('before');
    expect(await after).toBe('after');
  });

  test('a record that Redis has lost makes for misses, never for old values', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const a = await c.cache({ local: false });
    await hearing(a);
    await a.get('zone', () => 'old', { tags: ['zones'] });
    await a.invalidate({ tags: ['zones'] });
    await c.redis.del(`${c.prefix}:{shared}:tag:zones`, `${c.prefix}:{shared}:clock`);
    const newcomer = await c.cache({ local: false });
    await hearing(newcomer);
    expect(await newcomer.get('zone', () => 'new', { tags: ['zones'] })).toBe('new');
    expect(await newcomer.get('zone', () => 'newer', { tags: ['zones'] })).toBe('new');
    // And the clock has not gone back: what is invalidated now is later than all that was given out.
    await newcomer.invalidate({ tags: ['zones'] });
    for (const cache of [a, newcomer]) {
      await eventually(
        'it is gone',
        async () => (await cache.get('zone', () => 'newest', { tags: ['zones'] })) === 'newest',
      );
    }
  });

  test('a value survives the invalidation of a tag it does not have, and a process that starts later learns of those it has', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const a = await c.cache();
    await hearing(a);
    await a.get('one', () => 'old', { tags: ['x'] });
    await a.get('two', () => 'old', { tags: ['y'] });
    await a.invalidate({ tags: ['x'] });
    const late = await c.cache();
    expect(await late.get('one', () => 'new', { tags: ['x'] })).toBe('new');
    expect(await late.get('two', () => 'new', { tags: ['y'] })).toBe('old');
  });

  test('random interleavings of loads, reads and invalidations keep the promise', async ({ servers }) => {
    const by = fc.nat(2);
    const key = fc.constantFrom('k1', 'k2', 'k3');
    const tags = fc.subarray(['a', 'b'], { minLength: 1 });
    const wait = fc.boolean();
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 8, arbitrary: fc.record({ op: fc.constant('get' as const), by, key, turns: fc.nat(3) }) },
      { weight: 3, arbitrary: fc.record({ op: fc.constant('invalidate' as const), by, tags, wait }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant('delete' as const), by, key, wait }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant('turn' as const) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('settle' as const) }) },
    );
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const all = await Promise.all([1, 2, 3].map(() => c.cache()));
    await hearing(...all);
    // A busy machine may be late: what is said on the same server now is heard after what the caches were told.
    const listener = c.redis.duplicate();
    await listener.subscribe(`${c.prefix}:heard`);
    let words = 0;
    const heard = async (): Promise<void> => {
      words += 1;
      const word = String(words);
      const said = wordOf(listener, word);
      await c.redis.publish(`${c.prefix}:heard`, word);
      await said;
    };
    let run = 0;
    const steps = fc.array(step, { minLength: 10, maxLength: 60 });
    await fc.assert(
      // Ten at the same time, each with keys and tags of its own: most of the time they wait for the promised time.
      fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: 10 }), async (schedules) => {
        const histories = schedules.map((schedule) => {
          run += 1;
          return perform(schedule, all, `run ${run}`, heard);
        });
        for (const history of await Promise.all(histories)) expect(brokenPromises(history)).toEqual([]);
      }),
      { numRuns: 6 },
    );
    listener.disconnect();
  });
});

/** Until this word comes; others may come before it. */
async function wordOf(listener: Redis, word: string): Promise<void> {
  for await (const [, said] of on(listener, 'message')) if (said === word) return;
}

type Step =
  | { op: 'get'; by: number; key: string; turns: number }
  | { op: 'invalidate'; by: number; tags: string[]; wait: boolean }
  | { op: 'delete'; by: number; key: string; wait: boolean }
  | { op: 'turn' }
  | { op: 'settle' };

const tagsOf: Readonly<Record<string, readonly string[]>> = { k1: ['a'], k2: ['b'], k3: ['a', 'b'] };

/** What was asked and answered. `began` and `ended` are times; `step` is what the origin had come to when it began. */
interface Happening {
  readonly what: 'get' | 'forget' | 'settle';
  readonly by: number;
  readonly keys: readonly string[];
  readonly began: number;
  readonly ended: number;
  readonly step: number;
  /** Of a get: what the origin had come to when the value was loaded. */
  readonly value: number;
}

/** Does the steps, without waiting for one to end before the next unless it says so, and writes down what happened. */
async function perform(
  steps: readonly Step[],
  all: readonly Cache[],
  run: string,
  heard: () => Promise<void>,
): Promise<Happening[]> {
  const history: Happening[] = [];
  const underWay: Promise<unknown>[] = [];
  let now = 0;
  const record = async (
    what: Happening['what'],
    by: number,
    keys: readonly string[],
    work: () => Promise<number>,
  ): Promise<void> => {
    const [began, step] = [performance.now(), now];
    const value = await work();
    history.push({ what, by, keys, began, ended: performance.now(), step, value });
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (const each of steps) {
    now += 1;
    if (each.op === 'turn') await turn();
    else if (each.op === 'settle') {
      const from = performance.now();
      await eventually('the promised time is over', () => performance.now() - from > promised);
      await heard();
      history.push({ what: 'settle', by: -1, keys: [], began: from, ended: performance.now(), step: now, value: 0 });
    } else if (each.op === 'get') {
      const { by, key, turns } = each;
      const load = async (): Promise<number> => {
        const loaded = now;
        for (let i = 0; i < turns; i += 1) await turn();
        return loaded;
      };
      const options = { tags: (tagsOf[key] ?? []).map((tag) => `${run} ${tag}`) };
      underWay.push(record('get', by, [key], async () => (all[by] as Cache).get(`${run} ${key}`, load, options)));
    } else {
      const cache = all[each.by] as Cache;
      const keys =
        each.op === 'delete'
          ? [each.key]
          : Object.keys(tagsOf).filter((key) => each.tags.some((tag) => tagsOf[key]?.includes(tag)));
      const forgetting = record('forget', each.by, keys, async () => {
        if (each.op === 'delete') await cache.delete(`${run} ${each.key}`);
        else await cache.invalidate({ tags: each.tags.map((tag) => `${run} ${tag}`) });
        return 0;
      });
      if (each.wait) await forgetting;
      underWay.push(forgetting);
    }
  }
  await Promise.all(underWay);
  return history;
}

/**
 * The promise of `docs/cache.md`: who asks after something was forgotten gets nothing that was loaded before the forgetting
 * began. In the process that forgets, "after" is when its call has ended; in the others, when they had time to hear of it.
 */
function brokenPromises(history: readonly Happening[]): { read: Happening; forgotten: Happening }[] {
  const forgettings = history.filter(({ what }) => what === 'forget');
  const settlings = history.filter(({ what }) => what === 'settle');
  const isAfter = (read: Happening, forgotten: Happening): boolean =>
    read.by === forgotten.by
      ? forgotten.ended < read.began
      : settlings.some(({ began, ended }) => forgotten.ended < began && ended < read.began);
  return history
    .filter(({ what }) => what === 'get')
    .flatMap((read) =>
      forgettings
        .filter((forgotten) => forgotten.keys.includes(read.keys[0] ?? '') && isAfter(read, forgotten))
        .filter(({ step }) => read.value < step)
        .map((forgotten) => ({ read, forgotten })),
    );
}

describe('namespaces', () => {
  test('move to a version in one step: at once here, within 100 ms everywhere, and never a value of the old one after the new', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const all = await Promise.all([1, 2, 3].map(() => c.cache()));
    await hearing(...all);
    const spaces = all.map((cache) => cache.namespace('rides'));
    const read = (index: number): Promise<string> =>
      spaces[index]?.get('busiest', (context) => `of ${context.version}`) ?? Promise.reject(new Error('no such space'));
    expect(await Promise.all([0, 1, 2].map(read))).toEqual(['of 0', 'of 0', 'of 0']);
    const delays: number[] = [];
    for (let version = 1; version <= 10; version += 1) {
      await spaces[0]?.moveTo(String(version));
      const moved = performance.now();
      expect(await read(0)).toBe(`of ${version}`);
      let last = moved;
      const seen = ['', '', ''];
      await eventually(
        'all are there',
        async () => {
          const before = performance.now();
          for (const index of [1, 2]) {
            const value = await read(index);
            if (value !== `of ${version}`) {
              last = before;
              expect(seen[index]).not.toBe(`of ${version}`);
            }
            seen[index] = value;
          }
          return seen.slice(1).every((value) => value === `of ${version}`);
        },
        { every: 1 },
      );
      delays.push(last - moved);
    }
    expect(delays.sort((a, b) => a - b)[5]).toBeLessThan(promised);
    const late = await c.cache();
    expect(await late.namespace('rides').version()).toBe('10');
  });

  test('a key of the cache whose name reads like one of a namespace is another key, in this process too', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const own = clientOf(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ redis: own, heartbeat: 2_000, lease: '10s' });
    await hearing(cache);
    const rides = cache.namespace('rides');
    await rides.moveTo('v');
    const plain = (): Promise<string> => cache.get('rides@v:k', async () => 'plain');
    const spaced = (): Promise<string> => rides.get('k', async () => 'of the namespace');
    // At once, so that one finds the other's load under way; then from memory.
    for (let round = 0; round < 2; round += 1) {
      expect(await Promise.all([spaced(), plain()])).toEqual(['of the namespace', 'plain']);
    }
    for (let round = 0; round < 2; round += 1) {
      expect(await spaced()).toBe('of the namespace');
      expect(await plain()).toBe('plain');
    }
    expect(await cache.getMany(['rides@v:k'], () => ({}))).toEqual(new Map([['rides@v:k', 'plain']]));
    own.disconnect();
    expect(await spaced()).toBe('of the namespace');
  });

  test('a leader that has been replaced cannot move one back', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const [a, b] = [await c.cache(), await c.cache()];
    await a.namespace('rides').moveTo('2015-03-b', { fence: 8n });
    expect(await codeOf(b.namespace('rides').moveTo('2015-03-a', { fence: 7n }))).toBe('fenced');
    expect(await b.namespace('rides').version()).toBe('2015-03-b');
  });

  test('set and delete are at the version of their moment', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const rides = (await c.cache()).namespace('rides');
    await rides.set('busiest', 'old');
    await rides.moveTo('2');
    expect(await rides.get('busiest', () => 'new')).toBe('new');
    await rides.delete('busiest');
    expect(await rides.get('busiest', () => 'newer')).toBe('newer');
    await rides.moveTo('0');
    expect(await rides.get('busiest', () => 'not needed')).toBe('old');
  });
});
