import { eventually, Relay } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { Cache } from '../src/index.ts';
import { caches, clientOf, codeOf, hearing } from './fixture.ts';

/** The same Redis, by way of the relay. */
function through(relay: Relay, redis: string): string {
  const url = new URL(redis);
  url.host = relay.address;
  return url.href;
}

describe('a read for update', () => {
  test('fails when Redis stops answering after the bar was raised: the loader is not asked', async ({ servers }) => {
    const url = servers.QUORATE_REDIS ?? '';
    let [raised, silent] = [false, false];
    await using relay = await Relay.to(new URL(url).host, () => ({
      question: (bytes) => {
        if (/\$3\r\nget\r\n/i.test(String(bytes)) && raised) silent = true;
      },
      answer: () => (silent ? 'hold' : 'pass'),
    }));
    await using c = caches(url);
    const own = clientOf(through(relay, url));
    const [other, cache] = [await c.cache(), await c.cache({ redis: own, redisTimeout: 200 })];
    await other.set('rides', 41, { fence: 1n });
    await hearing(cache);
    raised = true;
    let asked = false;
    const load = (): number => {
      asked = true;
      return 0;
    };
    await expect(cache.get('rides', load, { fence: 2n })).rejects.toMatchObject({
      code: 'ambiguous',
      happened: 'unknown',
    });
    expect(asked).toBe(false);
    expect(cache.stats()).toMatchObject({ hits: { local: 0, redis: 0 }, misses: 1, staleServed: 0 });
    expect(await c.redis.get(`${c.prefix}:{rides}:fence`)).toBe('2');
    own.disconnect();
  });

  test.for(['evalshaBuffer', 'getBuffer'] as const)(
    'fails as well when it waits for a load by somebody else, and %s is not answered',
    async (method, { servers }) => {
      await using c = caches(servers.QUORATE_REDIS ?? '');
      const own = clientOf(servers.QUORATE_REDIS ?? '');
      const cache = await c.cache({ redis: own, heartbeat: 5_000, lease: '10s' });
      const call = own[method as 'getBuffer'].bind(own) as (...args: never[]) => Promise<unknown>;
      let reads = 0;
      const lost = (...args: never[]): Promise<unknown> => {
        if (method === 'getBuffer') reads += 1;
        const answered = method === 'getBuffer' ? reads === 1 : !args.flat().some((arg) => `${arg}`.endsWith(':lease'));
        return answered ? call(...args) : Promise.reject(new Error('Connection is closed.'));
      };
      Object.assign(own, { [method]: lost });
      await c.redis.set(`${c.prefix}:{rides}:lease`, '1 another', 'PX', 50);
      expect(await codeOf(cache.get('rides', () => 0, { fence: 2n }))).toBe('ambiguous');
      own.disconnect();
    },
  );

  test('of two tokens in one process at once, the newer one is served', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache();
    await hearing(cache);
    const both = [1n, 2n].map((fence) => cache.get('dataset', async () => `by ${fence}`, { fence }));
    expect(await Promise.allSettled(both)).toMatchObject([{ reason: { code: 'fenced' } }, { value: 'by 2' }]);
    // And whoever reads without a token is not told of theirs.
    const mixed = [3n, undefined].map((fence) => cache.get('dataset', async () => 'loaded', fence ? { fence } : {}));
    expect(await Promise.all(mixed)).toEqual(['by 2', 'by 2']);
  });

  test('in a namespace is of the version that stands, not of the one this process remembers', async ({ servers }) => {
    const url = servers.QUORATE_REDIS ?? '';
    let fate: 'pass' | 'hold' = 'pass';
    await using relay = await Relay.to(new URL(url).host, () => ({ answer: () => fate }));
    await using c = caches(url);
    const former = (await c.cache()).namespace('rides');
    const own = clientOf(url);
    // The connection for changes goes another, slower way.
    const duplicate = own.duplicate.bind(own);
    own.duplicate = (options) => duplicate({ ...options, host: '127.0.0.1', port: relay.port });
    const second = await c.cache({ redis: own, heartbeat: 2_000, lease: '10s' });
    await hearing(second);
    const next = second.namespace('rides');
    await former.moveTo('a', { fence: 1n });
    await former.set('count', 3, { fence: 1n });
    expect(await next.get('count', () => -1)).toBe(3);
    fate = 'hold';
    await former.moveTo('b', { fence: 1n });
    await former.set('count', 5, { fence: 1n });
    const before = await next.get<number>('count', () => -1, { fence: 2n });
    await next.set('count', before + 1, { fence: 2n });
    // What one process writes, another hears of a moment later.
    const reads = (count: number): Promise<unknown> =>
      eventually(`it reads ${count}`, async () => (await former.get('count', () => -1)) === count);
    await reads(6);
    // Whatever it is moved to by a leader of the past: the bar of the key is raised there too.
    await former.moveTo('c', { fence: 1n });
    expect(await codeOf(former.set('count', 7, { fence: 1n }))).toBe('fenced');
    expect(await codeOf(former.get('count', () => 7, { fence: 1n }))).toBe('fenced');
    await next.set('count', 8, { fence: 2n });
    await reads(8);
    await next.delete('count', { fence: 2n });
    await reads(-1);
    own.disconnect();
  });

  test('a write in a namespace that moves meanwhile does not count as done', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const own = clientOf(servers.QUORATE_REDIS ?? '');
    const [former, next] = [await c.cache(), await c.cache({ redis: own })].map((cache) => cache.namespace('rides'));
    await former?.moveTo('a', { fence: 1n });
    const evalsha = own.evalsha.bind(own) as (...args: never[]) => Promise<unknown>;
    const overtaken = async (...args: never[]): Promise<unknown> => {
      await former?.moveTo('b', { fence: 1n });
      return await evalsha(...args);
    };
    const writing = next?.set('count', 1, { fence: 2n });
    Object.assign(own, { evalsha: overtaken });
    await expect(writing).rejects.toMatchObject({ code: 'ambiguous', happened: 'unknown' });
    expect(await former?.get('count', () => 'nothing')).toBe('nothing');
    own.disconnect();
  });
});

describe('beside a read for update', () => {
  test.for(['the cache', 'a namespace'] as const)(
    'what the process remembers from before is not given out afterwards, even if the new value is not kept: %s',
    async (where, { servers }) => {
      await using c = caches(servers.QUORATE_REDIS ?? '');
      const cache = await c.cache({ heartbeat: 2_000, lease: '10s' });
      await hearing(cache);
      const place = where === 'the cache' ? cache : cache.namespace('rides');
      await place.set('count', 'old');
      expect(await place.get('count', () => 'not needed')).toBe('old');
      // Nobody is told of what Redis has lost.
      expect(await c.redis.del(`${c.prefix}:${where === 'the cache' ? '{count}' : '{rides@:count}@0'}`)).toBe(1);
      expect(await place.get('count', () => 'not needed')).toBe('old');
      expect(await place.get('count', () => 'new', { fence: 1n, ttl: 0 })).toBe('new');
      expect(await place.get('count', () => 'new')).toBe('new');
    },
  );

  test('one without a token that begins meanwhile takes its place: what it brings late is not kept', async ({
    servers,
  }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const own = clientOf(servers.QUORATE_REDIS ?? '');
    const [slow, other] = [await c.cache({ redis: own, redisTimeout: 10_000 }), await c.cache()];
    await hearing(slow, other);
    await other.set('zone', 'old');
    const [held, arrived] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const read = own.getBuffer.bind(own);
    own.getBuffer = (async (key: string) => {
      own.getBuffer = read;
      const answer = await read(key);
      arrived.resolve();
      await held.promise;
      return answer;
    }) as typeof own.getBuffer;
    const reading = slow.get('zone', () => 'not needed', { fence: 1n });
    await arrived.promise;
    expect(await slow.get('zone', () => 'not needed')).toBe('old');
    await other.set('zone', 'new');
    await eventually('it has heard', async () => (await slow.get('zone', () => 'not needed')) === 'new');
    held.resolve();
    expect(await reading).toBe('old');
    expect(await slow.get('zone', () => 'not needed')).toBe('new');
    own.disconnect();
  });

  test('the user of the cache may not load: the read is refused, and not only in doubt', async ({ servers }) => {
    const url = servers.QUORATE_REDIS ?? '';
    await using c = caches(url);
    const rights = ['~*{rides}', '~*:fence', '~*{shared}*', '&*', '+@all'];
    await c.redis.acl('SETUSER', c.prefix, 'on', '>secret', ...rights);
    const own = clientOf(url, { username: c.prefix, password: 'secret' });
    const cache = await c.cache({ redis: own });
    await hearing(cache);
    expect(await cache.get('rides', () => 'loaded')).toBe('loaded');
    await expect(cache.get('rides', () => 'loaded', { fence: 1n })).rejects.toMatchObject({
      code: 'redis-refused',
      happened: 'unknown',
    });
    expect(await c.redis.get(`${c.prefix}:{rides}:fence`)).toBe('1');
    own.disconnect();
    await c.redis.acl('DELUSER', c.prefix);
  });

  test.for(['get', 'set'] as const)(
    'a namespace whose version is not told after the %s was done: that is not "nothing happened"',
    async (method, { servers }) => {
      await using c = caches(servers.QUORATE_REDIS ?? '');
      const own = clientOf(servers.QUORATE_REDIS ?? '');
      const cache = await c.cache({ redis: own });
      await hearing(cache);
      let asked = 0;
      const get = own.get.bind(own);
      // The first question of a `set` comes before it.
      const lost = (key: string): Promise<string | null> => {
        asked += 1;
        if (method === 'set' && asked === 1) return get(key);
        return Promise.reject(new Error('Connection is closed.'));
      };
      Object.assign(own, { get: lost });
      const rides = cache.namespace('rides');
      const call = method === 'get' ? rides.get('k', () => 1, { fence: 1n }) : rides.set('k', 1, { fence: 1n });
      await expect(call).rejects.toMatchObject({ code: 'ambiguous', happened: 'unknown' });
      expect(asked).toBe(method === 'get' ? 1 : 2);
      expect(await c.redis.get(`${c.prefix}:{rides@:k}:fence`)).toBe('1');
      own.disconnect();
    },
  );
});

test.for([
  ['set', 'a token'],
  ['set', 'none'],
  ['moveTo', 'a token'],
  ['moveTo', 'none'],
] as const)(
  'a write whose answer was lost, so that the client sends it again, is done once and says so: %s under %s',
  async ([method, token], { servers }) => {
    const url = servers.QUORATE_REDIS ?? '';
    let [sent, lost] = [0, false];
    await using relay = await Relay.to(new URL(url).host, () => ({
      question: (bytes) => {
        if (String(bytes).includes('by-one')) sent += 1;
      },
      // On every connection: what others are told of the write comes on another one, and may come first.
      answer: () => (sent === 0 || lost ? 'pass' : 'hold'),
    }));
    await using c = caches(url);
    const own = clientOf(through(relay, url), { retryStrategy: () => 30 });
    const [cache, other] = [await c.cache({ redis: own, redisTimeout: 5_000 }), await c.cache()];
    const write = (by: string, on = cache, fence = 1n): Promise<void> => {
      const options = token === 'none' ? {} : { fence };
      return method === 'set' ? on.set('k', by, options) : on.namespace('rides').moveTo(by, options);
    };
    const stands = (): Promise<string> =>
      method === 'set' ? other.get('k', () => 'none') : other.namespace('rides').version();
    await hearing(cache, other);
    // A script that Redis does not know yet is refused first.
    await write('before');
    const writing = write('by-one');
    await eventually('Redis has done it', async () => (await stands()) === 'by-one');
    await write('by-two', other, 2n);
    lost = true;
    relay.cut();
    await writing;
    expect(sent).toBe(2);
    expect(await stands()).toBe('by-two');
    expect(await codeOf(write('later'))).toBe(token === 'none' ? 'done' : 'fenced');
    own.disconnect();
  },
);

describe('an error of several writes', () => {
  test('does not say that nothing happened when one of them was done', async ({ servers }) => {
    await using c = caches(servers.QUORATE_REDIS ?? '');
    const cache = await c.cache({ maxValueBytes: 100 });
    const large = 'x'.repeat(1_000);
    const setting = cache.setMany([
      ['a', large],
      ['b', 1],
    ]);
    await expect(setting).rejects.toMatchObject({ code: 'value-too-large', happened: 'unknown' });
    expect(await cache.get('b', () => 'nothing')).toBe(1);
    await cache.set('a', 1, { fence: 2n });
    const deleting = cache.delete(['a', 'b'], { fence: 1n });
    await expect(deleting).rejects.toMatchObject({ code: 'fenced', happened: 'unknown' });
    expect(await cache.get('b', () => 'nothing')).toBe('nothing');
    const none = cache.setMany([
      ['a', large],
      ['b', large],
    ]);
    await expect(none).rejects.toMatchObject({ code: 'value-too-large', happened: 'no' });
  });
});

test('a write whose signal is aborted before Redis was met is not done afterwards', async ({ servers }) => {
  await using c = caches(servers.QUORATE_REDIS ?? '');
  const other = await c.cache();
  await other.set('k', 'stays');
  const own = clientOf(servers.QUORATE_REDIS ?? '');
  await using cache = new Cache({ redis: own, prefix: c.prefix });
  const stop = new AbortController();
  const deleting = cache.delete('k', { signal: stop.signal });
  stop.abort();
  await expect(deleting).rejects.toThrow('aborted');
  await cache.set('later', 1);
  expect(await other.get('k', () => 'deleted')).toBe('stays');
  own.disconnect();
});
