import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '@quorate/testbed';
import { Cluster, Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { Cache } from '../src/index.ts';
import { codeOf, documentedRights, hearing } from './fixture.ts';
import { RedisFamily } from './redis-family.ts';

/** What every arrangement must do: two processes share values, hear each other's changes, and share loads. */
async function conforms(a: Cache, b: Cache): Promise<void> {
  await hearing(a, b);
  const keys = Array.from({ length: 50 }, (_, index) => `zone ${index} {${index}}`);
  const load = (missing: readonly string[]): Record<string, string> =>
    Object.fromEntries(missing.map((key) => [key, `loaded ${key}`]));
  expect([...(await a.getMany(keys, load, { tags: ['zones'] })).values()]).toEqual(keys.map((key) => `loaded ${key}`));
  const never = (): Promise<string> => Promise.reject(new Error('not needed'));
  for (const key of keys) expect(await b.get(key, never, { tags: ['zones'] })).toBe(`loaded ${key}`);
  await a.invalidate({ tags: ['zones'] });
  await eventually(
    'the other has forgotten',
    async () => (await b.get(keys[0] ?? '', () => 'anew', { tags: ['zones'] })) === 'anew',
  );
  await b.set('set', 'first', { fence: 2n });
  expect(await codeOf(a.set('set', 'second', { fence: 1n }))).toBe('fenced');
  await eventually('the write is seen', async () => (await a.get('set', never)) === 'first');
  const { promise, resolve } = Promise.withResolvers<string>();
  const before = b.stats().waits.elsewhere;
  const loading = a.get('shared', () => promise);
  await eventually('it loads', () => a.stats().loads.started > 0 && a.stats().misses > 50);
  const waiting = b.get('shared', never);
  await eventually('the other waits', () => b.stats().waits.elsewhere > before);
  resolve('once');
  expect(await Promise.all([loading, waiting])).toEqual(['once', 'once']);
  await a.namespace('rides').moveTo('7');
  await eventually('both are there', async () => (await b.namespace('rides').version()) === '7');
  await b.delete(keys);
  expect(await b.get(keys[1] ?? '', () => 'anew')).toBe('anew');
}

describe('a cluster', () => {
  test('an entry and its parts are on one node; one of the primaries dies and no caller sees an error, of a user with no more rights than it needs', async () => {
    await using family = await RedisFamily.open();
    const servers = await family.cluster();
    const startup = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
    const rights = (await documentedRights('app:taxi')).cluster.split(' ');
    for (const { port } of servers) {
      const admin = family.client(port);
      await admin.call('ACL', 'SETUSER', 'taxi', 'on', '>hunter2', ...rights);
      admin.disconnect();
    }
    await using stack = new AsyncDisposableStack();
    const make = async (enableAutoPipelining: boolean): Promise<Cache> => {
      const redis = new Cluster(startup, {
        keyPrefix: 'app:',
        enableAutoPipelining,
        slotsRefreshInterval: 500,
        redisOptions: { connectTimeout: 1_000, username: 'taxi', password: 'hunter2' },
      }).on('error', () => {});
      stack.defer(() => redis.disconnect());
      const cache = stack.use(new Cache({ redis, prefix: 'taxi', heartbeat: 100, lease: 1_000 }));
      await cache.start();
      return cache;
    };
    const [a, b] = [await make(false), await make(true)];
    await conforms(a, b);

    let over = false;
    const errors: unknown[] = [];
    const callers = [a, b].flatMap((cache) =>
      Array.from({ length: 4 }, async (_, caller) => {
        for (let round = 0; !over; round += 1) {
          await cache
            .get(`load ${(round * 7 + caller) % 300}`, () => 'loaded', { ttl: 200 })
            .catch((error) => errors.push(error));
          if (round % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      }),
    );
    await servers[0]?.kill();
    const survivor = family.client(servers[1]?.port ?? 0);
    stack.defer(() => survivor.disconnect());
    await eventually('its replica has taken over', async () => {
      const nodes = String(await survivor.call('CLUSTER', 'NODES')).split('\n');
      return (
        nodes.some((node) => node.includes('master,fail')) &&
        nodes.filter((node) => / (myself,)?master - .*connected \d/.test(node)).length === 3
      );
    });
    await eventually('writes work again, on every node', async () => {
      await a.setMany(Array.from({ length: 60 }, (_, index) => [`again ${index}`, index] as const));
      return true;
    });
    over = true;
    await Promise.all(callers);
    expect(errors).toEqual([]);
    await hearing(a, b);
    await a.set('zone', 'after');
    await eventually('the other sees it', async () => (await b.get('zone', () => 'loaded')) === 'after');
  });
});

describe('a primary that Sentinels replace', () => {
  test('under load no caller sees an error, and what may be old is bounded', async () => {
    await using family = await RedisFamily.open();
    const { primary, addresses } = await family.sentinels();
    await using stack = new AsyncDisposableStack();
    const make = async (): Promise<Cache> => {
      const redis = new Redis({
        sentinels: addresses,
        name: 'taxi',
        retryStrategy: () => 50,
        sentinelRetryStrategy: () => 50,
      }).on('error', () => {});
      stack.defer(() => redis.disconnect());
      const cache = stack.use(
        new Cache({ redis, prefix: 'taxi', heartbeat: 100, lease: 1_000, redisTimeout: 200, ttl: '10m', early: 0 }),
      );
      await cache.start();
      return cache;
    };
    const [a, b] = [await make(), await make()];
    await conforms(a, b);

    // The origin's word is the time. Whatever a caller gets says how old it is; each key lives for 400 ms.
    const ttl = 400;
    let over = false;
    let oldest = 0;
    let calls = 0;
    const errors: unknown[] = [];
    const callers = [a, b].flatMap((cache) =>
      Array.from({ length: 4 }, async (_, caller) => {
        for (let round = 0; !over; round += 1) {
          const began = performance.now();
          const value = await cache
            .get(`load ${(round * 7 + caller) % 100}`, () => performance.now(), { ttl })
            .catch((error) => {
              errors.push(error);
              return began;
            });
          oldest = Math.max(oldest, began - value);
          calls += 1;
          if (round % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      }),
    );
    await eventually('they are at work', () => calls > 1_000);
    await primary.kill();
    await eventually('writes work again', async () => {
      await a.set('zone', 'after');
      return true;
    });
    await hearing(a, b);
    over = true;
    await Promise.all(callers);
    expect(errors).toEqual([]);
    // The clocks of two servers of one machine, a load and the way back: the rest is its time to live.
    expect(oldest).toBeLessThan(ttl + 150);
    await eventually('the other sees it', async () => (await b.get('zone', () => 'loaded')) === 'after');
    await a.invalidate({ tags: ['zones'] });
  });
});

describe('TLS and users', () => {
  test('a user with no more rights than it needs, over TLS; its password is in no error', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quorate-tls-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(folder, { recursive: true }));
    const file = (name: string): string => join(folder, name);
    await promisify(execFile)('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '1',
        '-subj',
        '/CN=localhost',
      ],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', file('key.pem'), '-out', file('cert.pem')],
    ]);
    const [cert, key] = await Promise.all([readFile(file('cert.pem'), 'utf8'), readFile(file('key.pem'), 'utf8')]);
    const tls = { ca: cert };
    await using family = await RedisFamily.open();
    const rights = (await documentedRights('app:taxi')).server;
    const { port } = await family.start({
      name: 'secure',
      files: { 'cert.pem': cert, 'key.pem': key },
      lines: (own) => [
        ...[
          'port 0',
          `tls-port ${own}`,
          'tls-cert-file cert.pem',
          'tls-key-file key.pem',
          'tls-ca-cert-file cert.pem',
          'tls-auth-clients no',
        ],
        `user taxi on >hunter2 ${rights}`,
        'user default on nopass ~* &* +@all',
      ],
      client: { tls },
    });
    const make = async (username: string, password: string): Promise<Cache> => {
      const redis = family.client(port, { tls, username, password, keyPrefix: 'app:' });
      stack.defer(() => redis.disconnect());
      const cache = stack.use(new Cache({ redis, prefix: 'taxi', heartbeat: 100, redisTimeout: 300 }));
      await cache.start();
      return cache;
    };
    await conforms(await make('taxi', 'hunter2'), await make('taxi', 'hunter2'));
    const stranger = await make('taxi', 'wrong-hunter3');
    expect(await stranger.get('zone', () => 'loaded')).toBe('loaded');
    const refused = await stranger.set('zone', 1).catch((error) => error);
    expect(JSON.stringify([refused.message, String(refused.cause), stranger.health()])).not.toMatch(/hunter/);
    // Whoever may not use this prefix has no cache, and all the same its values.
    const elsewhere = family.client(port, { tls, username: 'taxi', password: 'hunter2', keyPrefix: 'other:' });
    stack.defer(() => elsewhere.disconnect());
    const apart = stack.use(new Cache({ redis: elsewhere, prefix: 'taxi', heartbeat: 100 }));
    expect(await apart.get('zone', () => 'loaded')).toBe('loaded');
    expect(await codeOf(apart.set('zone', 1))).toBe('redis-refused');
    expect(apart.health().status).toBe('warn');
  });
});
