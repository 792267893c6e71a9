import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { type ISocketFactory, Kafka, logLevel, type PartitionMetadata } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { eventually, Testbed } from '../src/index.ts';
import { bedTest } from '../src/vitest.ts';

const redisTest = bedTest({ redis: 3 });

describe('a Redis replica', () => {
  redisTest(
    'reaches its primary through a link: cut off, it keeps what it had, and catches up afterwards',
    async ({ bed }) => {
      const [cut, other] = bed.redis.replicas.map(({ address }) => new Redis(bed.redis.urlAt(address)));
      const primary = new Redis(bed.redis.url);
      await primary.set('cab', 'before');
      await eventually('it is copied', async () => (await cut?.get('cab')) === 'before');
      expect(bed.neighbours(bed.redis.primary).map(({ name }) => name)).toEqual(['redis-2', 'redis-3']);
      await bed.partition(['redis-2'], ['redis-1']);
      await primary.set('cab', 'during');
      await eventually('the other one has it', async () => (await other?.get('cab')) === 'during');
      // In a black hole an acknowledgement cannot come either.
      expect(await primary.wait(2, 200)).toBe(1);
      expect(await cut?.get('cab')).toBe('before');
      await bed.heal();
      await eventually('it catches up', async () => (await cut?.get('cab')) === 'during');
      for (const client of [primary, cut, other]) client?.disconnect();
    },
  );

  redisTest('lags on a slow link', async ({ bed }) => {
    const [lagging, other] = bed.redis.replicas.map(({ address }) => new Redis(bed.redis.urlAt(address)));
    const primary = new Redis(bed.redis.url);
    await bed.link('redis-1', 'redis-2').set({ latencyMs: 60_000 });
    await primary.set('lag', 'x');
    await eventually('the other one has it', async () => (await other?.get('lag')) === 'x');
    expect(await lagging?.get('lag')).toBeNull();
    await bed.link('redis-1', 'redis-2').set({});
    await eventually('it has it too', async () => (await lagging?.get('lag')) === 'x');
    for (const client of [primary, lagging, other]) client?.disconnect();
  });

  redisTest('has no link to another replica, and the error says which there are', async ({ bed }) => {
    expect(() => bed.link('redis-2', 'redis-3')).toThrow(
      /two servers with a link between them: redis-2 and redis-1, redis-3 and redis-1, got \[ 'redis-2', 'redis-3' \]/,
    );
    await expect(bed.partition(['redis-2'], ['redis-3'])).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe('a Kafka broker', () => {
  test('that is cut off takes nothing that needs the others; they go on, and it comes back', async ({ skip }) => {
    skip(
      process.platform !== 'linux',
      'brokers have links on Linux only: each sees the others at addresses of its own',
    );
    await using bed = await Testbed.start({ kafka: 3 });
    const connected = (...brokers: string[]): Kafka => new Kafka({ brokers, logLevel: logLevel.NOTHING });
    const admin = connected(...bed.kafka.brokers).admin();
    await admin.connect();
    const topic = 'rides';
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 1, replicationFactor: 3 }] });
    const partition = async (of = admin): Promise<PartitionMetadata | undefined> =>
      (await of.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions[0];
    const leader = await eventually('a leader', async () => Math.max(0, (await partition())?.leader ?? 0));
    const cut = bed.kafka.broker(leader);
    const others = bed.kafka.servers.filter((server) => server !== cut);
    await admin.disconnect();

    const producerAt = async (...brokers: string[]): Promise<(value: string) => Promise<string>> => {
      const producer = connected(...brokers).producer({ retry: { retries: 0 } });
      await producer.connect();
      return (value) =>
        producer.send({ topic, acks: -1, timeout: 1_000, messages: [{ value }] }).then(
          () => 'done',
          (error: Error) => error.message,
        );
    };
    const minority = await producerAt(cut.address);
    await eventually('all is well', async () => (await minority('before')) === 'done');
    await bed.partition(
      [cut.name],
      others.map(({ name }) => name),
    );
    expect(await minority('cut off')).not.toBe('done');
    const theirs = connected(...others.map(({ address }) => address)).admin();
    await theirs.connect();
    await eventually('the others have a leader', async () => {
      const { leader: now = -1, isr = [] } = (await partition(theirs)) ?? {};
      return now !== leader && now !== -1 && isr.length === 2;
    });
    const majority = await producerAt(...others.map(({ address }) => address));
    await eventually('they take a message', async () => (await majority('without it')) === 'done');

    await bed.heal();
    await eventually('it is in sync again', async () => (await partition(theirs))?.isr.length === 3);
    await eventually('all are well', async () => (await bed.health()).status === 'pass');
    await theirs.disconnect();
  });
});

test('a Kafka client stays on its link when its socket factory maps the address that it is told', async () => {
  await using bed = await Testbed.start({ kafka: 1 });
  const link = bed.link('shop', 'kafka-1');
  const port = Number((await link.address).split(':')[1]);
  const socketFactory: ISocketFactory = ({ onConnect }) => connect({ host: '127.0.0.1', port }, onConnect);
  const kafka = new Kafka({ brokers: [...bed.kafka.brokers], logLevel: logLevel.NOTHING, socketFactory });
  const producer = kafka.producer({ retry: { retries: 0 } });
  const publish = (): Promise<unknown> =>
    producer.send({ topic: 'rides', messages: [{ value: '42' }], timeout: 1_000 });
  await producer.connect();
  await eventually('it is taken', publish);
  await link.set({ refuse: true });
  await expect(publish()).rejects.toThrow();
  expect(await bed.kafka.broker(1).health()).toEqual({ status: 'pass' });
  await link.heal();
  await eventually('it is taken again', publish);
  await producer.disconnect();
});

describe('Consul servers', () => {
  test('have no links between them, and clients have', async () => {
    await using bed = await Testbed.start({ consul: 3 });
    expect(() => bed.link('consul-1', 'consul-2')).toThrow(
      /expected a client's name and one of consul-1, consul-2, consul-3, or two servers with a link between them, of which there are none here/,
    );
    const link = bed.link('service', 'consul-2');
    const ask = async (): Promise<string> => {
      const url = `http://${await link.address}/v1/status/leader`;
      return (await fetch(url, { signal: AbortSignal.timeout(300), headers: { connection: 'close' } })).text();
    };
    expect(await ask()).toMatch(/^"127\.0\.0\.1:\d+"$/);
    const cut = await bed.partition(['service'], ['consul-2']);
    await expect(ask()).rejects.toThrow(/timeout/);
    await cut.heal();
    expect(await eventually('it answers', ask)).toMatch(/^"127\.0\.0\.1:\d+"$/);
  });
});
