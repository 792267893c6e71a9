import { readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { MongoClient } from 'mongodb';
import { Client } from 'pg';
import { describe, expect } from 'vitest';
import { eventually, type Server } from '../src/index.ts';
import { bedTest } from '../src/vitest.ts';
import { listeningAddresses } from './listening.ts';

const test = bedTest({ postgres: true, mongodb: true, prometheus: true });

/** Kills the server with no goodbye and brings it back, at the same address in another process. */
async function killAndRestart(server: Server): Promise<void> {
  const { address, pid } = server;
  await server.kill();
  expect(await server.health()).toEqual({ status: 'fail', detail: 'killed' });
  await server.restart();
  expect(server).toMatchObject({ address, state: 'running' });
  expect(server.pid).not.toBe(pid);
}

async function postgres(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 10_000 });
  // Its server is killed under it.
  client.on('error', () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

test('all listen on loopback, and other programs are told where', async ({ bed, skip }) => {
  expect((await bed.health()).status).toBe('pass');
  expect(bed.environment).toEqual({
    QUORATE_POSTGRES: bed.postgres.url,
    QUORATE_MONGODB: bed.mongodb.url,
    QUORATE_PROMETHEUS: bed.prometheus.url,
  });
  if (process.platform !== 'linux') skip('reads /proc, which only Linux has');
  for (const { name, pid } of bed.servers) {
    expect(new Set(await listeningAddresses(pid ?? 0)), name).toEqual(new Set(['0100007F']));
  }
});

describe('PostgreSQL', () => {
  test('keeps what was committed before a kill, with a client connected', async ({ bed }) => {
    const before = await postgres(bed.postgres.url);
    await before.query('CREATE TABLE rides (id serial PRIMARY KEY, cab text)');
    for (let ride = 0; ride < 20; ride += 1) await before.query('INSERT INTO rides (cab) VALUES ($1)', [`cab-${ride}`]);
    await killAndRestart(bed.postgres.server);
    await using after = await postgres(bed.postgres.url);
    expect((await after.query('SELECT count(*)::int AS n FROM rides')).rows).toEqual([{ n: 20 }]);
  });

  test('has no shared memory that would stay when it is killed', async ({ bed, skip }) => {
    if (process.platform !== 'linux') skip('reads /proc, which only Linux has');
    const { pid } = bed.postgres.server;
    expect(await readFile(`/proc/${pid}/maps`, 'utf8')).not.toContain('/dev/shm/');
    // What is not in the file system goes with the last process of its name space.
    expect(await readlink(`/proc/${pid}/ns/ipc`)).not.toBe(await readlink('/proc/self/ns/ipc'));
  });

  test('stands still with all its processes while it is paused', async ({ bed }) => {
    await using client = await postgres(bed.postgres.url);
    await bed.postgres.server.pause();
    let answered = false;
    const asked = client.query('SELECT 42 AS n').finally(() => {
      answered = true;
    });
    // The others answer in this time.
    for (let question = 0; question < 20; question += 1) await (await fetch(`${bed.prometheus.url}/-/ready`)).text();
    expect(answered).toBe(false);
    await bed.postgres.server.resume();
    expect((await asked).rows).toEqual([{ n: 42 }]);
  });

  test('comes back after it died while it was paused', async ({ bed }) => {
    const { server } = bed.postgres;
    await server.pause();
    process.kill(server.pid as number, 'SIGKILL');
    await eventually('it has died', () => server.state === 'died');
    await server.restart();
    expect(await server.health()).toEqual({ status: 'pass' });
  });

  test('stops at once, though clients are connected', async ({ bed }) => {
    await postgres(bed.postgres.url);
    const begin = performance.now();
    await bed.postgres.server.stop({ grace: 60_000 });
    expect(performance.now() - begin).toBeLessThan(30_000);
    await bed.postgres.server.start();
  });

  test('turns away a client with another password', async ({ bed }) => {
    const { port } = new URL(bed.postgres.url);
    const stranger = postgres(`postgres://postgres:guess@127.0.0.1:${port}/postgres`);
    await expect(stranger).rejects.toMatchObject({ code: '28P01' });
  });
});

test('MongoDB keeps its documents over a kill, and one of three writers wins', async ({ bed }) => {
  // No package registry has mongod: where PATH has none, this is FerretDB.
  expect(['mongod', 'ferretdb']).toContain(bed.mongodb.engine);
  {
    await using before = new MongoClient(bed.mongodb.url, { serverSelectionTimeoutMS: 10_000 });
    const rides = before.db('taxi').collection<{ _id: string; cab: number; version: number }>('rides');
    await rides.insertOne({ _id: 'ride-1', cab: 0, version: 0 });
    for (let version = 0; version < 100; version += 1) {
      const write = (cab: number): Promise<{ modifiedCount: number }> =>
        rides.updateOne({ _id: 'ride-1', version }, { $set: { cab, version: version + 1 } });
      const written = await Promise.all([write(41), write(42), write(43)]);
      expect(written.map(({ modifiedCount }) => modifiedCount).sort()).toEqual([0, 0, 1]);
    }
  }
  await killAndRestart(bed.mongodb.server);
  await using after = new MongoClient(bed.mongodb.url, { serverSelectionTimeoutMS: 10_000 });
  const ride = await after
    .db('taxi')
    .collection('rides')
    .findOne({ cab: { $gt: 40 } });
  expect(ride).toMatchObject({ _id: 'ride-1', version: 100 });
});

test('Prometheus asks whom it is told, and remembers the answers over a kill', async ({ bed }) => {
  let asked = 0;
  const service = createServer((_, response) => {
    asked += 1;
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end('# TYPE taxi_rides counter\ntaxi_rides 42\n');
  });
  await new Promise<void>((listening) => service.listen(0, '127.0.0.1', listening));
  const { port } = service.address() as { port: number };
  await bed.prometheus.scrape('rides', [`127.0.0.1:${port}`]);
  const value = async (query: string): Promise<string | undefined> => {
    const response = await fetch(`${bed.prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
    return data.result[0]?.value[1];
  };
  expect(await eventually('it has the number', () => value('taxi_rides{job="rides"}'))).toBe('42');
  await new Promise((closed) => {
    service.close(closed);
    service.closeAllConnections();
  });
  expect(asked).toBeGreaterThan(0);
  await killAndRestart(bed.prometheus.server);
  expect(await value('last_over_time(taxi_rides{job="rides"}[5m])')).toBe('42');
  await expect(bed.prometheus.scrape('../up', [])).rejects.toThrow('job: expected a name');
  await expect(bed.prometheus.scrape('up', ['http://x'])).rejects.toThrow('scrape: expected addresses such as');
});
