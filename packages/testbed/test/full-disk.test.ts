import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { eventually, History, Programs, playFaults, type Server, Testbed } from '../src/index.ts';
import { scratch } from './archives.ts';
import { ended, program } from './program.ts';
import { zookeeperClient } from './zookeeper-client.ts';

/** Why no server can have a disk of its own here; undefined where it can. */
const whyNot: string | undefined = await Testbed.start({ redis: 1 }, { disk: 8 }).then(
  (bed) => bed.stop() as Promise<undefined>,
  (error: Error & { code: string }) => {
    if (error.code === 'no-disk') return error.message;
    throw error;
  },
);

afterEach(() => vi.unstubAllEnvs());

describe('a disk that is full', () => {
  beforeEach(({ skip }) => skip(whyNot !== undefined, whyNot));

  /** More than the rest of the page that the server has already been given. */
  const much = 'x'.repeat(20_000);

  test.each(['follower', 'leader'] as const)(
    'takes a ZooKeeper %s out while the majority goes on; with room and a restart it catches up',
    async (role) => {
      await using bed = await Testbed.start({ zookeeper: 3 }, { disk: 64 });
      const leader = await eventually('a leader', () => bed.zookeeper.leader());
      const victim = role === 'leader' ? leader : bed.zookeeper.members.find((member) => member !== leader);
      if (!victim) throw new Error('no such member');
      const others = bed.zookeeper.members.filter((member) => member !== victim);
      const write = async (path: string): Promise<void> => {
        using client = await zookeeperClient(others.map(({ address }) => address).join(','));
        await client.create(path, much);
      };
      await write('/before');
      await victim.fillDisk();
      expect(victim.isDiskFull).toBe(true);
      await eventually('it notices', async () => {
        await write(`/during-${Math.random()}`).catch(() => {});
        return (await victim.health()).status === 'fail';
      });
      await eventually('the others have a leader', async () =>
        (await Promise.all(others.map((member) => bed.zookeeper.isLeader(member)))).includes(true),
      );
      await write('/without-it');
      expect((await victim.log(500)).join('\n')).toContain('No space left on device');

      await victim.freeDisk();
      await victim.restart();
      expect(await victim.health()).toEqual({ status: 'pass' });
      using back = await zookeeperClient(victim.address);
      for (const path of ['/before', '/without-it'])
        await eventually(`it has ${path}`, async () => (await back.get(path)) === much);
    },
  );

  test('fails what PostgreSQL writes; with room it takes writes again, and has what it acknowledged', async () => {
    await using bed = await Testbed.start({ postgres: true }, { disk: 128 });
    const client = new Client({ connectionString: bed.postgres.url, query_timeout: 10_000 });
    await client.connect();
    await client.query('CREATE TABLE rides AS SELECT 1 AS id');
    await bed.postgres.server.fillDisk();
    const many = 'INSERT INTO rides SELECT generate_series(2, 100000)';
    await expect(client.query(many)).rejects.toMatchObject({ code: '53100' });
    await bed.postgres.server.freeDisk();
    await client.query('INSERT INTO rides VALUES (2)');
    expect((await client.query('SELECT id FROM rides ORDER BY id')).rows).toEqual([{ id: 1 }, { id: 2 }]);
    await client.end();
  });

  test('makes Redis refuse writes and answer reads, and take writes again once there is room', async () => {
    await using bed = await Testbed.start({ redis: 2 }, { disk: 8 });
    const { primary, replicas } = bed.redis;
    const client = new Redis(bed.redis.url);
    await client.set('before', 'kept');
    await primary.fillDisk();
    const refused = await eventually('a write is refused', () =>
      client.set('during', much).then(
        () => undefined,
        (error: Error) => error.message,
      ),
    );
    expect(refused).toMatch(/MISCONF.*No space left on device/);
    expect(await client.get('before')).toBe('kept');
    // Its disk alone: neither that of the other server nor the machine's.
    expect(replicas.map(({ isDiskFull }) => isDiskFull)).toEqual([false]);
    expect(await replicas[0]?.health()).toEqual({ status: 'pass' });
    await bed.heal();
    expect(primary.isDiskFull).toBe(false);
    await eventually('writes are taken again', () => client.set('after', much));
    client.disconnect();
    await primary.restart();
    const again = new Redis(bed.redis.url);
    expect(await again.mget('before', 'after')).toEqual(['kept', much]);
    again.disconnect();
  });

  test('has data and config on it, and no more room than it was given', async () => {
    await using bed = await Testbed.start({ kafka: 1 }, { disk: 32 });
    const server = bed.kafka.broker(1);
    expect(await readFile(`${server.folder}/server.properties`, 'utf8')).toContain('node.id=1');
    expect(await readFile(`${server.folder}/data/meta.properties`, 'utf8')).toContain('cluster.id=');
    expect((await server.log()).length).toBeGreaterThan(1);
    await server.fillDisk();
    expect((await readFile(`${server.folder}/.ballast`)).length).toBeLessThanOrEqual(32 * 1024 * 1024);
  });

  test('is a kind of fault: the server is back at the end of it', async () => {
    await using bed = await Testbed.start({ redis: 1 }, { disk: 8 });
    const history = new History();
    const fault = { at: 1, kind: 'full-disk', target: ['redis-1'], duration: 300 };
    const { pid } = bed.redis.primary;
    const running = playFaults({ seed: 1, length: 400, faults: [fault] }, bed, history);
    await eventually('it is full', () => bed.redis.primary.isDiskFull, { every: 1 });
    await running;
    expect(history.counts.faults).toEqual({ 'full-disk': 1 });
    expect(bed.redis.primary.isDiskFull).toBe(false);
    expect(await bed.redis.primary.health()).toEqual({ status: 'pass' });
    // What it has given up for good takes a restart.
    expect(bed.redis.primary.pid).not.toBe(pid);
  });

  test('is gone with the process that had the bed', async () => {
    const child = program(`
      const bed = await Testbed.start({ redis: 1 }, { disk: 8 });
      show({ folder: bed.redis.primary.folder, servers: bed.servers });
      setInterval(() => {}, 1_000);
    `);
    const { folder } = await child.shown;
    expect(existsSync(`${folder}/redis.conf`)).toBe(true);
    child.kill('SIGKILL');
    await ended(child);
    await eventually('nobody holds the disk', () => !existsSync(folder));
  });
});

describe('where a server has no disk of its own', () => {
  test('it cannot be full, and says what to do', async () => {
    await using bed = await Testbed.start({ redis: 1 });
    const server: Server = bed.redis.primary;
    await expect(server.fillDisk()).rejects.toMatchObject({ code: 'no-disk' });
    await expect(server.freeDisk()).rejects.toThrow(
      'redis-1 has no disk of its own: start the bed with { disk: <megabytes> }',
    );
    const fault = { at: 1, kind: 'full-disk', target: ['redis-1'], duration: 1 };
    await expect(playFaults({ seed: 1, length: 10, faults: [fault] }, bed, new History())).rejects.toThrow(
      "target: expected a server of a bed with { disk: … }, got 'redis-1'",
    );
  });

  test('because the machine gives none, the bed does not start, says why, and leaves nothing', async () => {
    const redis = await new Programs({ offline: true }).get('redis');
    await using place = await scratch();
    vi.stubEnv('QUORATE_PROGRAM_REDIS', redis.path);
    vi.stubEnv('PATH', place.folder);
    const start = Testbed.start({ redis: 1 }, { disk: 8 });
    await expect(start).rejects.toMatchObject({ code: 'no-disk' });
    await expect(start).rejects.toThrow(/^redis-1 cannot have a disk of its own here: .*\. It needs Linux/);
  });

  test.each([0, 1.5, -1, 1e6, '64'])('%j is no size of a disk', async (disk) => {
    await expect(Testbed.start({ redis: 1 }, { disk: disk as number })).rejects.toThrow(
      'disk: expected a whole number of megabytes from 1 to 65536',
    );
  });
});
