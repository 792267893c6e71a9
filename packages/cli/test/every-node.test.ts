import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bedTest } from '@quorate/testbed/vitest';
import { connect } from '@quorate/zookeeper';
import { beforeAll, expect } from 'vitest';
import { nodeOf } from './node-versions.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const test = bedTest({ zookeeper: 1, consul: 1, redis: 1 });

beforeAll(async () => {
  await promisify(execFile)('tsc', ['-b'], { cwd: root });
});

/** A little of everything that the published packages do, in words that Node 22 knows: no `await using`. */
const program = `
  import { Cache } from '@quorate/cache';
  import { Election, Group, Lock, memoryCoordination, Mirror, Queue, Semaphore } from '@quorate/coordination';
  import { Mesh } from '@quorate/mesh';
  import { connect, Sessions } from '@quorate/zookeeper';
  import { Redis } from 'ioredis';
  const done = {};

  const zk = await connect(process.env.QUORATE_ZOOKEEPER);
  const lease = await new Lock(zk, '/lock').acquire();
  done.holders = (await new Lock(zk, '/lock').holders()).length;
  await lease.release();
  const permits = new Semaphore(zk, '/permits', { permits: 2 });
  const held = [await permits.acquire(), await permits.acquire()];
  done.permits = held.length;
  for (const permit of held) await permit.release();
  const queue = new Queue(zk, '/queue');
  await queue.put('an item');
  const item = await queue.take();
  done.item = item.data;
  await item.done();
  const mirror = new Mirror(zk, '/queue');
  await mirror.ready;
  done.mirror = mirror.state;
  await mirror.close();
  await zk.close();

  const sessions = new Sessions(process.env.QUORATE_ZOOKEEPER);
  const member = await new Group(sessions, '/group').join({ id: 'a' });
  const enough = new AbortController();
  await new Election(sessions, '/leader', { id: 'a' }).lead(() => {
    done.led = true;
    enough.abort();
  }, { signal: enough.signal });
  await member.leave();
  await sessions.stop();

  const memory = memoryCoordination().connect();
  await (await new Lock(memory, '/lock').acquire()).release();
  await memory.close();

  const mesh = new Mesh({ address: process.env.QUORATE_CONSUL });
  await mesh.kv.set(process.env.QUORATE_KEY, 'a value');
  done.kv = String((await mesh.kv.get(process.env.QUORATE_KEY)).value);
  await mesh.close();

  const redis = new Redis(process.env.QUORATE_REDIS);
  const cache = new Cache({ redis, prefix: process.env.QUORATE_KEY });
  done.cache = await cache.get('key', () => 'loaded');
  await cache.stop();
  redis.disconnect();
  // It ends by itself: nothing of all this keeps it.
  console.log(JSON.stringify(done));
`;

test.concurrent.for([22, 24, 26])('the published packages do what they do on Node %i', async (major, { bed }) => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  try {
    await mkdir(join(folder, 'node_modules/@quorate'), { recursive: true });
    for (const name of ['core', 'zookeeper', 'coordination', 'mesh', 'cache'])
      await symlink(join(root, 'packages', name), join(folder, 'node_modules/@quorate', name));
    await symlink(join(root, 'node_modules/ioredis'), join(folder, 'node_modules/ioredis'));
    await writeFile(join(folder, 'program.mjs'), program);
    const { NODE_OPTIONS: _, ...env } = process.env;
    const place = `/node-${major}`;
    await using zk = await connect(bed.zookeeper.url);
    await zk.create(place);
    const { stdout, stderr } = await promisify(execFile)(await nodeOf(major), [join(folder, 'program.mjs')], {
      env: {
        ...env,
        QUORATE_ZOOKEEPER: `${bed.zookeeper.url}${place}`,
        QUORATE_CONSUL: bed.consul.url,
        QUORATE_REDIS: bed.redis.url,
        QUORATE_KEY: `node-${major}`,
      },
      timeout: 30_000,
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      holders: 1,
      permits: 2,
      item: 'an item',
      mirror: 'current',
      led: true,
      kv: 'a value',
      cache: 'loaded',
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
