import { randomUUID } from 'node:crypto';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { Kafka, logLevel } from 'kafkajs';
import { expect } from 'vitest';
import type { Driver } from '../../src/driver/driver.ts';
import { batch, driverFor, endless, join, offsetsOf, read } from './place.ts';

const test = bedTest({ kafka: 3 });

/** A topic whose partitions have these replicas, the first of which leads. */
async function topicOn(driver: Driver, brokers: readonly string[], replicas: readonly number[][]): Promise<string> {
  const topic = `t-${randomUUID()}`;
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const replicaAssignment = replicas.map((of, partition) => ({ partition, replicas: of }));
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic, replicaAssignment }] });
  await admin.disconnect();
  await eventually('it has leaders', async () => {
    const leaders = await driver.admin.leaders(topic, endless);
    return leaders?.every((leader, partition) => leader === replicas[partition]?.[0]);
  });
  return topic;
}

test('a batch whose leader moves to a broker that has answered already is written all the same', async ({ bed }) => {
  await using driver = await driverFor(bed.kafka.brokers, { deliveryTimeout: 30_000 });
  const topic = await topicOn(driver, bed.kafka.brokers, [
    [1, 2, 3],
    [3, 1, 2],
  ]);
  const appender = await driver.appender({ signal: endless });
  const both = (value: string) => [batch(topic, [value], 0), batch(topic, [value], 1)];
  expect(offsetsOf(await appender.append(both('before')))).toEqual([0n, 0n]);
  // It comes back, and says that it does not lead any more, while the one that does has answered.
  await bed.kafka.broker(3).kill();
  await eventually('another leads', async () => (await driver.admin.leaders(topic, endless))?.[1] === 1);
  await bed.kafka.broker(3).restart();
  expect(offsetsOf(await appender.append(both('after')))).toEqual([1n, 1n]);
  for (const partition of [0, 1]) {
    const reading = await read(driver, { topic, partition });
    await eventually('both are there', () => reading.next === 2n);
    expect(reading.values()).toEqual(['before', 'after']);
  }
});

test('partitions go on while another of the same topic has no leader', async ({ bed }) => {
  await using driver = await driverFor(bed.kafka.brokers, { deliveryTimeout: 2_500 });
  const topic = await topicOn(driver, bed.kafka.brokers, [[1], [2], [3]]);
  await bed.kafka.broker(2).kill();
  await eventually('it has no leader', async () => (await driver.admin.leaders(topic, endless))?.[1] === -1);
  // New to the topic: they have to ask for all of it.
  const appender = await driver.appender({ signal: endless });
  const outcomes = await appender.append([0, 1, 2].map((partition) => batch(topic, ['x'], partition)));
  expect(outcomes.map(({ offset }) => offset)).toEqual([0n, undefined, 0n]);
  expect(outcomes[1]?.error).toMatchObject({ code: 'kafka-unreachable', happened: 'no' });
  const reading = await read(driver, { topic, partition: 2 });
  await eventually('it is read', () => reading.values().length === 1);
  const { reader, assigned } = await join(driver, topic, { group: `g-${randomUUID()}` });
  expect(assigned.map(({ partition }) => partition).sort()).toEqual([0, 1, 2]);
  await reader.stop();
  const shape = await driver.admin.describeTopic(topic, ['retention.ms'], endless);
  expect(shape).toMatchObject({ partitions: 3, replication: 1 });
  expect(await driver.admin.createTopic(topic, { partitions: 3, replication: 1, settings: {} }, endless)).toBe(false);
});
