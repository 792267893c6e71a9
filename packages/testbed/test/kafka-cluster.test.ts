import { Kafka, logLevel, type PartitionMetadata } from 'kafkajs';
import { expect, onTestFinished } from 'vitest';
import { eventually } from '../src/index.ts';
import { bedTest } from '../src/vitest.ts';

const test = bedTest({ kafka: { brokers: 3, clients: ['shop', 'desk'] } });

test('a Kafka client with links of its own stays on them, also after a restart', async ({ bed }) => {
  const clientOf = (name: string): Kafka =>
    new Kafka({ brokers: [...bed.kafka.brokersFor(name)], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  const link = bed.link('shop', 'kafka-1');
  expect(bed.kafka.brokersFor('shop')[0]).toBe(await link.address);
  const admin = clientOf('shop').admin();
  await admin.connect();
  const { brokers } = await admin.describeCluster();
  expect(new Set(brokers.map(({ host, port }) => `${host}:${port}`))).toEqual(new Set(bed.kafka.brokersFor('shop')));
  const topic = 'linked';
  await admin.createTopics({
    waitForLeaders: false,
    topics: [{ topic, replicaAssignment: [{ partition: 0, replicas: [1] }] }],
  });
  await admin.disconnect();
  const publishingBy = async (name: string): Promise<() => Promise<unknown>> => {
    const producer = clientOf(name).producer();
    onTestFinished(() => producer.disconnect());
    await producer.connect();
    return () => producer.send({ topic, messages: [{ value: '42' }], timeout: 1_000 });
  };
  const [publish, other] = [await publishingBy('shop'), await publishingBy('desk')];
  await eventually('it is taken', publish);
  await eventually('and so is that of another client', other);
  expect(link.connections).toBeGreaterThan(0);
  await link.set({ refuse: true });
  await expect(publish()).rejects.toThrow();
  await other();
  await link.heal();
  await eventually('it is taken again', publish);
  await bed.kafka.broker(1).restart();
  await eventually('it is taken after a restart', publish);
  await bed.link('desk', 'kafka-1').set({ blackHole: true });
  await publish();
  await bed.heal();
  await bed.partition(['shop'], ['kafka-1', 'kafka-2', 'kafka-3']);
  await link.reset();
  await eventually('the other one gets through', other);
  expect(link.connections).toBe(0);
  await bed.heal();
  await eventually('it is taken after the partition', publish);
});

test('brokers have no links for a client that nobody has named', async ({ bed }) => {
  const refused = "client: expected one of kafka.clients (shop, desk), got 'till'";
  expect(() => bed.kafka.brokersFor('till')).toThrow(refused);
});

test('a broker that is cut off takes nothing that needs the others; they go on, and it comes back', async ({
  bed,
  skip,
}) => {
  skip(process.platform !== 'linux', 'brokers have links on Linux only: each sees the others at addresses of its own');
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

test('three Kafka brokers keep an acknowledged message when its leader is killed', async ({ bed }) => {
  const kafka = new Kafka({ clientId: 'test', brokers: [...bed.kafka.brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  // kafkajs, which would wait for a leader, gives up when the broker that it asks has not heard of the topic yet.
  await admin.createTopics({
    waitForLeaders: false,
    topics: [{ topic: 'kept', numPartitions: 1, replicationFactor: 3 }],
  });
  const leaderOf = async (): Promise<number | undefined> =>
    (await admin.fetchTopicMetadata({ topics: ['kept'] })).topics[0]?.partitions[0]?.leader;
  await eventually('a leader', async () => ((await leaderOf()) ?? -1) > 0);
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  await producer.send({ topic: 'kept', acks: -1, messages: [{ value: '42' }] });
  await producer.disconnect();
  const leader = await leaderOf();
  await bed.kafka.broker(leader ?? 0).kill();
  await eventually('another leader', async () => ![leader, -1, undefined].includes(await leaderOf()));
  // A new leader counts as far as all have it only once the other has asked it again.
  await eventually('the message is there', async () => (await admin.fetchTopicOffsets('kept'))[0]?.high === '1');
  await admin.disconnect();
});
