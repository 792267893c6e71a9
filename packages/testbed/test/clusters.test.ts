import { Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { eventually, Testbed } from '../src/index.ts';

test('five ZooKeeper members bear the loss of two leaders, serve nobody without a majority, and come back', async () => {
  await using bed = await Testbed.start({ zookeeper: 5 });
  for (let round = 0; round < 2; round += 1) {
    const leader = await eventually('a leader', () => bed.zookeeper.leader());
    await leader.kill();
    const next = await eventually('another leader', () => bed.zookeeper.leader());
    expect(next.name).not.toBe(leader.name);
  }
  const [one] = bed.zookeeper.members.filter(({ state }) => state === 'running');
  await one?.kill();
  await eventually('no leader without a majority', async () => (await bed.zookeeper.leader()) === undefined);
  await Promise.all(bed.zookeeper.members.filter(({ state }) => state === 'killed').map((member) => member.restart()));
  await eventually('all five are well', async () => (await bed.health()).status === 'pass');
});

test('three Kafka brokers keep an acknowledged message when its leader is killed', async () => {
  await using bed = await Testbed.start({ kafka: 3 });
  const kafka = new Kafka({ clientId: 'test', brokers: [...bed.kafka.brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  // kafkajs, which would wait for a leader, gives up when the broker that it asks has not heard of the topic yet.
  await admin.createTopics({
    waitForLeaders: false,
    topics: [{ topic: 'rides', numPartitions: 1, replicationFactor: 3 }],
  });
  const leaderOf = async (): Promise<number | undefined> =>
    (await admin.fetchTopicMetadata({ topics: ['rides'] })).topics[0]?.partitions[0]?.leader;
  await eventually('a leader', async () => ((await leaderOf()) ?? -1) > 0);
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  await producer.send({ topic: 'rides', acks: -1, messages: [{ value: '42' }] });
  await producer.disconnect();
  const leader = await leaderOf();
  await bed.kafka.broker(leader ?? 0).kill();
  await eventually('another leader', async () => ![leader, -1, undefined].includes(await leaderOf()));
  expect(await eventually('the message is there', () => admin.fetchTopicOffsets('rides'))).toMatchObject([
    { high: '1' },
  ]);
  await admin.disconnect();
});

test('three Consul servers go on when their leader is killed', async () => {
  await using bed = await Testbed.start({ consul: 3 });
  const leaderAt = async (server: number): Promise<string> =>
    (await (await fetch(`http://${bed.consul.server(server).address}/v1/status/leader`)).json()) as string;
  const nodes = (await (await fetch(`${bed.consul.url}/v1/operator/raft/configuration`)).json()) as {
    Servers: { Node: string; Leader: boolean }[];
  };
  const leader = bed.server(nodes.Servers.find(({ Leader }) => Leader)?.Node ?? '');
  const before = await leaderAt(1);
  await leader.kill();
  const left = [1, 2, 3].find((number) => bed.consul.server(number) !== leader) ?? 1;
  const after = await eventually('another leader', async () => {
    const now = await leaderAt(left);
    return now !== before && now;
  });
  expect(after).toMatch(/^127\.0\.0\.1:/);
  await leader.restart();
  expect((await bed.health()).status).toBe('pass');
});
