import { connect } from 'node:net';
import { type ISocketFactory, Kafka, logLevel, type PartitionMetadata } from 'kafkajs';
import { expect } from 'vitest';
import { eventually } from '../src/index.ts';
import { bedTest } from '../src/vitest.ts';

const test = bedTest({ kafka: 3 });

test('a Kafka client stays on its link when its socket factory maps the address that it is told', async ({ bed }) => {
  const link = bed.link('shop', 'kafka-1');
  const port = Number((await link.address).split(':')[1]);
  const socketFactory: ISocketFactory = ({ onConnect }) => connect({ host: '127.0.0.1', port }, onConnect);
  const [brokers, quiet] = [[...bed.kafka.brokers], logLevel.NOTHING];
  const topic = 'linked';
  // Whoever is mapped to one broker does not reach the one that makes topics.
  const admin = new Kafka({ brokers, logLevel: quiet }).admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: false,
    topics: [{ topic, replicaAssignment: [{ partition: 0, replicas: [1] }] }],
  });
  await admin.disconnect();
  const producer = new Kafka({ brokers, logLevel: quiet, socketFactory, retry: { retries: 0 } }).producer();
  const publish = (): Promise<unknown> => producer.send({ topic, messages: [{ value: '42' }], timeout: 1_000 });
  await producer.connect();
  await eventually('it is taken', publish);
  await link.set({ refuse: true });
  await expect(publish()).rejects.toThrow();
  expect(await bed.kafka.broker(1).health()).toEqual({ status: 'pass' });
  await link.heal();
  await eventually('it is taken again', publish);
  await producer.disconnect();
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
