import { randomUUID } from 'node:crypto';
import { eventually } from '@quorate/testbed';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect } from 'vitest';
import type { Driver, DriverName } from '../../src/driver/driver.ts';
import { openBy } from '../driver/drivers.ts';
import { batch, endless, offsetsOf, Stage, unique } from '../driver/stage.ts';
import type { threeBrokers } from '../suites/brokers.ts';

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

/** What a driver promises where leaders come and go. */
export function leadersSuite(driver: DriverName, test: typeof threeBrokers): void {
  const open = openBy[driver];
  describe(`by ${driver}`, () => {
    test('a batch is written whose leader moves to a broker that has answered already', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers, { deliveryTimeout: 30_000 });
      const driver = await stage.driver();
      const topic = await topicOn(driver, bed.kafka.brokers, [
        [1, 2, 3],
        [3, 1, 2],
      ]);
      const appender = await driver.appender({ signal: endless });
      const both = (value: string) => [batch(topic, 0, [value]), batch(topic, 1, [value])];
      expect(offsetsOf(await appender.append(both('before')))).toEqual([0n, 0n]);
      // It comes back, and says that it does not lead any more, while the one that does has answered.
      await bed.kafka.broker(3).kill();
      await eventually('another leads', async () => (await driver.admin.leaders(topic, endless))?.[1] === 1);
      await bed.kafka.broker(3).restart();
      expect(offsetsOf(await appender.append(both('after')))).toEqual([1n, 1n]);
      for (const partition of [0, 1]) {
        const follower = await stage.follower({ topic, from: new Map([[partition, 0n]]) }, driver);
        await eventually('both are there', () => follower.course(partition).next === 2n);
        expect(follower.values(partition)).toEqual(['before', 'after']);
      }
    });

    test('partitions go on while another of the same topic has no leader', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers, { deliveryTimeout: 2_500 });
      const driver = await stage.driver();
      const topic = await topicOn(driver, bed.kafka.brokers, [[1], [2], [3]]);
      await bed.kafka.broker(2).kill();
      await eventually('it has no leader', async () => (await driver.admin.leaders(topic, endless))?.[1] === -1);
      // New to the topic: they have to ask for all of it.
      const appender = await driver.appender({ signal: endless });
      const outcomes = await appender.append([0, 1, 2].map((partition) => batch(topic, partition, ['x'])));
      expect(outcomes.map(({ offset }) => offset)).toEqual([0n, undefined, 0n]);
      expect(outcomes[1]?.error).toMatchObject({ code: 'kafka-unreachable', happened: 'no' });
      const follower = await stage.follower({ topic, from: new Map([[2, 0n]]) }, driver);
      await eventually('it is read', () => follower.values(2).length === 1);
      const member = await stage.member({ group: unique('g'), topics: [topic] }, driver);
      await eventually('it has all', () => member.partitions.length === 3);
      await member.stop();
      const shape = await driver.admin.describeTopic(topic, ['retention.ms'], endless);
      expect(shape).toMatchObject({ partitions: 3, replication: 1 });
      const made = await driver.admin.createTopic(topic, { partitions: 3, replication: 1, settings: {} }, endless);
      expect(made).toBe(false);
      await bed.kafka.broker(2).restart();
    });
  });
}
