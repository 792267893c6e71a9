import { mkdir, readdir, readFile, readlink, stat, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Connection } from '@temporalio/client';
import Consul from 'consul';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, describe, expect, vi } from 'vitest';
import { eventually, everything, type S3Region } from '../src/index.ts';
import { cacheFolder } from '../src/programs/cache.ts';
import { ask } from '../src/servers/ask.ts';
import { bedTest } from '../src/vitest.ts';
import { scratch } from './archives.ts';
import { durability } from './durability.ts';
import { listeningAddresses } from './listening.ts';
import { zookeeperClient } from './zookeeper-client.ts';

const place = await scratch();
// Programs from a cache, and beds in a folder, whose names some shell would stumble over.
const cache = join(place.folder, "a cache with 'quotes' too");
await mkdir(cache);
await symlink(join(cacheFolder(), 'programs'), join(cache, 'programs'));
vi.stubEnv('QUORATE_CACHE', cache);
for (const variable of ['HOME', 'TMPDIR']) {
  vi.stubEnv(variable, join(place.folder, `${variable} with spaces`));
  await mkdir(process.env[variable] ?? '');
}
afterAll(() => place[Symbol.asyncDispose]());

const test = bedTest({ ...everything, redis: 2 }, { offline: true });

const s3Client = ({ region, endpoint, credentials }: S3Region): S3Client =>
  new S3Client({ region, endpoint, credentials, forcePathStyle: true });

/** The files that a process has open or mapped. */
async function filesInUse(pid: number): Promise<string[]> {
  const opened = (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''));
  const mapped = (await readFile(`/proc/${pid}/maps`, 'utf8')).split('\n').map((line) => line.slice(line.indexOf('/')));
  return [...(await Promise.all(opened)), ...mapped].filter((file) => file.startsWith('/'));
}

describe('one of everything, talked to by real clients', () => {
  test('all of it is well, by its own word', async ({ bed }) => {
    const { status, parts } = await bed.health();
    expect(parts).toEqual(Object.fromEntries(bed.servers.map(({ name }) => [name, { status: 'pass' }])));
    expect(status).toBe('pass');
    expect(bed.servers.map(({ name }) => name)).toEqual([
      ...['zookeeper-1', 'zookeeper-2', 'zookeeper-3', 'redis-1', 'redis-2', 'kafka-1', 'consul-1', 'envoy-1'],
      ...['temporal-1', 's3-us-east-1', 's3-eu-west-1', 'dynamodb-1'],
    ]);
  });

  test('what is ready stays ready', async ({ bed }) => {
    for (let look = 0; look < 30; look += 1) {
      for (const server of bed.servers) expect(await server.health(), server.name).toEqual({ status: 'pass' });
    }
  });

  test('everything listens on loopback and nowhere else', async ({ bed, skip }) => {
    if (process.platform !== 'linux') skip('reads /proc, which only Linux has');
    for (const { name, address, pid } of bed.servers) {
      expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
      const listening = await listeningAddresses(pid ?? 0);
      expect(listening.length, name).toBeGreaterThan(0);
      expect(new Set(listening), name).toEqual(new Set(['0100007F']));
    }
  });

  test('ZooKeeper keeps a node for one client and shows it to another', async ({ bed }) => {
    using writer = await zookeeperClient(bed.zookeeper.url);
    using reader = await zookeeperClient(bed.zookeeper.member(3).address);
    await writer.create('/cab', '42');
    expect(await eventually('the member has the node', () => reader.get('/cab'))).toBe('42');
    expect((await bed.zookeeper.leader())?.name).toMatch(/^zookeeper-[123]$/);
  });

  test('Redis replicates what its primary is told', async ({ bed }) => {
    const primary = new Redis(bed.redis.url);
    const replica = new Redis(bed.redis.urlAt(bed.redis.server(2).address));
    await primary.set('cab', '42');
    expect(await eventually('the replica has the key', () => replica.get('cab'))).toBe('42');
    await expect(replica.set('cab', '43')).rejects.toThrow('READONLY');
    await Promise.all([primary.quit(), replica.quit()]);
  });

  test('Kafka takes a message and gives it to a consumer group', async ({ bed }) => {
    const kafka = new Kafka({ clientId: 'test', brokers: [...bed.kafka.brokers], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'rides' }], waitForLeaders: true });
    const producer = kafka.producer({ idempotent: true });
    await producer.connect();
    await producer.send({ topic: 'rides', messages: [{ key: 'cab', value: '42' }] });
    const consumer = kafka.consumer({ groupId: 'g' });
    await consumer.connect();
    await consumer.subscribe({ topic: 'rides', fromBeginning: true });
    const value = await new Promise<string | undefined>((done) => {
      void consumer.run({ eachMessage: async ({ message }) => done(message.value?.toString()) });
    });
    expect(value).toBe('42');
    await Promise.all([consumer.disconnect(), producer.disconnect(), admin.disconnect()]);
  });

  test('Consul registers a service and has a mesh authority', async ({ bed }) => {
    const { hostname, port } = new URL(bed.consul.url);
    const consul = new Consul({ host: hostname, port: Number(port) });
    await consul.agent.service.register({ name: 'query', port: 9_000 });
    expect(Object.keys(await consul.agent.service.list())).toEqual(['query']);
    const roots = (await (await fetch(`${bed.consul.url}/v1/connect/ca/roots`)).json()) as { Roots: unknown[] };
    expect(roots.Roots).toHaveLength(1);
    expect(bed.consul.grpc).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('Envoy answers through its listener', async ({ bed }) => {
    const response = await fetch(bed.envoy.url);
    expect(response.headers.get('server')).toBe('envoy');
    expect(await response.text()).toBe('Envoy is here.\n');
    expect(await (await fetch(`${bed.envoy.admin}/server_info`)).json()).toMatchObject({ state: 'LIVE' });
  });

  test('Temporal serves its clients and shows its UI', async ({ bed }) => {
    const connection = await Connection.connect({ address: bed.temporal.address });
    const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace: bed.temporal.namespace });
    expect(namespaceInfo?.name).toBe('default');
    await connection.close();
    expect(await (await fetch(bed.temporal.ui)).text()).toContain('<html');
  });

  test('S3 keeps every version of an object, in each region apart', async ({ bed }) => {
    const east = bed.s3.region('us-east-1');
    const s3 = s3Client(east);
    const put = (Body: string): Promise<unknown> =>
      s3.send(new PutObjectCommand({ Bucket: east.bucket, Key: 'cab', Body }));
    await put('41');
    await put('42');
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: east.bucket, Prefix: 'cab' }));
    expect(Versions).toHaveLength(2);
    const older = Versions.find(({ IsLatest }) => !IsLatest);
    const { Body } = await s3.send(
      new GetObjectCommand({ Bucket: east.bucket, Key: 'cab', VersionId: older?.VersionId }),
    );
    expect(await Body?.transformToString()).toBe('41');
    const west = bed.s3.region('eu-west-1');
    const elsewhere = s3Client(west).send(new GetObjectCommand({ Bucket: west.bucket, Key: 'cab' }));
    await expect(elsewhere).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('S3 gives what was put after a delete', async ({ bed }) => {
    const east = bed.s3.region('us-east-1');
    const s3 = s3Client(east);
    const object = { Bucket: east.bucket, Key: 'again' };
    await s3.send(new PutObjectCommand({ ...object, Body: '1' }));
    await s3.send(new DeleteObjectCommand(object));
    await expect(s3.send(new GetObjectCommand(object))).rejects.toMatchObject({ name: 'NoSuchKey' });
    await s3.send(new PutObjectCommand({ ...object, Body: '2' }));
    const { Body } = await s3.send(new GetObjectCommand(object));
    expect(await Body?.transformToString()).toBe('2');
  });

  test('S3 turns away a client with another secret', async ({ bed }) => {
    const east = bed.s3.region('us-east-1');
    const stranger = s3Client({ ...east, credentials: { ...east.credentials, secretAccessKey: 'guess' } });
    const asked = stranger.send(new GetObjectCommand({ Bucket: east.bucket, Key: 'cab' }));
    await expect(asked).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
  });

  test('DynamoDB makes a table', async ({ bed }) => {
    const { url: endpoint, credentials, region } = bed.dynamodb;
    const dynamodb = new DynamoDBClient({ endpoint, credentials, region });
    await dynamodb.send(
      new CreateTableCommand({
        TableName: 'runs',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    );
    expect((await dynamodb.send(new ListTablesCommand({}))).TableNames).toEqual(['runs']);
  });

  test('none of it writes at home, or anywhere but into the folder of the bed', async ({ bed }) => {
    expect(await readdir(process.env.HOME ?? '')).toEqual([]);
    expect(await readdir(process.env.TMPDIR ?? '')).toEqual([basename(bed.folder)]);
    if (process.platform !== 'linux') return;
    // Some look for a temporary folder by themselves: what they use there is open, or part of their memory.
    for (const { name, pid } of bed.servers) {
      const files = await filesInUse(pid ?? 0);
      expect(
        files.filter((file) => file.startsWith(bed.folder)),
        name,
      ).not.toEqual([]);
      const elsewhere = files.filter((file) => /^\/(var\/)?tmp\/|^\/dev\/shm\//.test(file));
      expect(
        elsewhere.filter((file) => !file.startsWith(bed.folder)),
        name,
      ).toEqual([]);
    }
  });

  test('Redis does nothing for whoever does not know the password, such as writing files as you', async ({ bed }) => {
    for (const { address, folder } of bed.redis.servers) {
      for (const command of ['CONFIG SET dir /', 'REPLICAOF 127.0.0.1 1', 'SHUTDOWN', 'PING']) {
        const limit = { whole: (text: string) => text.endsWith('\r\n'), signal: AbortSignal.timeout(10_000) };
        expect(await ask(address, `${command}\r\n`, limit), command).toMatch(/^-NOAUTH/);
      }
      expect((await stat(join(folder, 'redis.conf'))).mode & 0o077).toBe(0);
    }
  });

  test('Consul runs no command for whoever asks', async ({ bed }) => {
    const check = { Name: 'stranger', Args: ['/bin/true'], Interval: '1s' };
    const service = { Name: 'stranger', Check: check };
    for (const [path, body] of [
      ['check', check],
      ['service', service],
    ] as const) {
      const answer = await fetch(`${bed.consul.url}/v1/agent/${path}/register`, {
        method: 'PUT',
        body: JSON.stringify(body),
      });
      expect([answer.ok, await answer.text()]).toEqual([false, expect.stringContaining('Scripts are disabled')]);
    }
    const config = JSON.parse(await readFile(join(bed.consul.server(1).folder, 'consul.json'), 'utf8'));
    expect(config).toMatchObject({ enable_script_checks: false, disable_remote_exec: true });
  });

  test('no secret can be read among the arguments of a process', async ({ bed, skip }) => {
    if (process.platform !== 'linux') skip('reads /proc, which only Linux has');
    const secrets = [bed.redis.password, bed.s3.credentials.secretAccessKey];
    for (const { name, pid } of bed.servers) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8');
      for (const secret of secrets) expect(command.includes(secret), name).toBe(false);
    }
  });

  test('other programs are told where everything is', async ({ bed }) => {
    expect(bed.environment).toMatchObject({
      QUORATE_ZOOKEEPER: bed.zookeeper.url,
      QUORATE_REDIS: bed.redis.url,
      QUORATE_KAFKA: bed.kafka.url,
      QUORATE_CONSUL: bed.consul.url,
      QUORATE_CONSUL_GRPC: bed.consul.grpc,
      QUORATE_ENVOY: bed.envoy.program,
      QUORATE_TEMPORAL: bed.temporal.address,
      QUORATE_S3_US_EAST_1: bed.s3.region('us-east-1').endpoint,
      QUORATE_S3_EU_WEST_1: bed.s3.region('eu-west-1').endpoint,
      QUORATE_DYNAMODB: bed.dynamodb.url,
    });
  });
});

describe('killed and restarted', () => durability(test));
