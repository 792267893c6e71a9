import { Consumer } from '@platformatic/kafka';
import { eventually } from '@quorate/testbed';
import { expect } from 'vitest';
import type { RecordBatch } from '../../src/driver/record.ts';
import { contractTest as test } from './contract.ts';
import { drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import { batch, endless, failure, offsetsOf, record, Stage, series, unique } from './stage.ts';

/** Part of the contract of the drivers. */
export function hasAdmin(): void {
  eachDriver(drivers, 'has an admin, which', (_name, open) => {
    test('makes a topic as it is wanted, once, and describes it', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers, { deliveryTimeout: 2_000 });
      const { admin, appender } = await withAppender(stage);
      const topic = unique('rides');
      const settings = { 'retention.ms': '86400000', 'cleanup.policy': 'compact' };
      expect(await admin.describeTopic(topic, [], endless)).toBeUndefined();
      const shape = { partitions: 3, replication: 1, settings };
      expect(await admin.createTopic(topic, shape, endless)).toBe(true);
      const keyed = (partition: number): RecordBatch => ({
        topic,
        partition,
        records: [record('x', { key: Buffer.from('k') })],
      });
      // At once.
      const outcomes = await appender.append([0, 1, 2].map(keyed));
      expect(offsetsOf(outcomes)).toEqual([0n, 0n, 0n]);
      expect(await admin.createTopic(topic, { ...shape, partitions: 7 }, endless)).toBe(false);
      expect(await admin.describeTopic(topic, ['retention.ms', 'cleanup.policy'], endless)).toEqual(shape);
      expect(await admin.describeTopic(topic, ['retention.ms'], endless)).toEqual({
        ...shape,
        settings: { 'retention.ms': '86400000' },
      });
      expect(await admin.describeTopic(topic, [], endless)).toEqual({ ...shape, settings: {} });
      expect(await admin.topics(endless)).toContain(topic);
      await admin.deleteTopic(topic, endless);
      await eventually('it is gone', async () => !(await admin.topics(endless)).includes(topic));
      expect(await admin.describeTopic(topic, [], endless)).toBeUndefined();
    });

    test('tells settings that were never set as the broker has them by default', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const { admin } = await stage.driver();
      const topic = unique('rides');
      expect(await admin.createTopic(topic, { partitions: 1, replication: -1, settings: {} }, endless)).toBe(true);
      expect(await admin.describeTopic(topic, ['cleanup.policy'], endless)).toEqual({
        partitions: 1,
        replication: 1,
        settings: { 'cleanup.policy': 'delete' },
      });
    });

    test('says which broker leads each partition', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const { admin } = await stage.driver();
      const topic = await stage.topic({ partitions: 3 });
      expect(await admin.leaders(topic, endless)).toEqual([1, 1, 1]);
      expect(await admin.leaders('no-such-topic', endless)).toBeUndefined();
      expect(await admin.topics(endless)).not.toContain('no-such-topic');
    });

    test('makes many topics at once, each of which can be written to', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers, { deliveryTimeout: 2_000 });
      const { admin, appender } = await withAppender(stage);
      const shape = { partitions: 2, replication: 1, settings: {} };
      const topics = series(unique('t'), 8);
      const made = topics.map((topic) => admin.createTopic(topic, shape, endless));
      const again = topics.map((topic) => admin.createTopic(topic, shape, endless));
      const told = await Promise.all([...made, ...again]);
      expect(told.filter((now) => now)).toHaveLength(topics.length);
      const wanted = topics.flatMap((topic) => [batch(topic, 0, ['x']), batch(topic, 1, ['y'])]);
      expect(offsetsOf(await appender.append(wanted))).toEqual(wanted.map(() => 0n));
    });

    test('adds partitions to a topic, once, each of which can be written to', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers, { deliveryTimeout: 2_000 });
      const { admin, appender } = await withAppender(stage);
      const topic = await stage.topic({ partitions: 1 });
      await Promise.all([admin.enlargeTopic(topic, 3, endless), admin.enlargeTopic(topic, 3, endless)]);
      const outcomes = await appender.append([0, 1, 2].map((partition) => batch(topic, partition, ['x'])));
      expect(offsetsOf(outcomes)).toEqual([0n, 0n, 0n]);
      await admin.enlargeTopic(topic, 2, endless);
      expect(await admin.leaders(topic, endless)).toHaveLength(3);
      expect(await failure(() => admin.enlargeTopic('no-such-topic', 2, endless))).toMatchObject({
        code: 'unknown-topic',
        happened: 'no',
      });
    });

    const refused = [
      ['more replicas than brokers', { replication: 3 }, 'INVALID_REPLICATION_FACTOR'],
      ['a setting that there is not', { settings: { 'retention.mss': '1' } }, 'INVALID_CONFIG'],
      ['a setting with a value that makes no sense', { settings: { 'retention.ms': 'long' } }, 'INVALID_CONFIG'],
      ['no partitions', { partitions: 0 }, 'INVALID_PARTITIONS'],
    ] as const;

    test.for(refused)('says what Kafka refuses: a topic with %s', async ([, shape, reason], { bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const { admin } = await stage.driver();
      const topic = unique('rides');
      const wanted = { partitions: 1, replication: 1, settings: {}, ...shape };
      const failed = await failure(() => admin.createTopic(topic, wanted, endless));
      expect(failed).toMatchObject({ code: 'refused', reason, happened: 'no' });
      expect(await admin.topics(endless)).not.toContain(topic);
    });

    test('says what Kafka refuses: a topic whose name is no name', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const { admin } = await stage.driver();
      const shape = { partitions: 1, replication: 1, settings: {} };
      const failed = await failure(() => admin.createTopic('a topic', shape, endless));
      expect(failed).toMatchObject({ code: 'refused', reason: 'INVALID_TOPIC_EXCEPTION', happened: 'no' });
    });

    test('says where each partition begins and ends, and what was written at a time or later', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const { admin, appender } = await withAppender(stage);
      const topic = await stage.topic({ partitions: 3 });
      const at = (...times: number[]) => times.map((timestamp) => record('x', { timestamp }));
      await appender.append([
        { topic, partition: 0, records: at(1_000, 2_000, 3_000, 4_000) },
        { topic, partition: 1, records: at(2_500) },
      ]);
      const offsets = async (when: 'earliest' | 'latest' | number): Promise<[number, bigint][]> =>
        [...(await admin.offsets(topic, when, endless))].sort(([a], [b]) => a - b);
      await stage.witness.deleteRecords(topic, 0, 1n);
      expect(await offsets('earliest')).toEqual([
        [0, 1n],
        [1, 0n],
        [2, 0n],
      ]);
      expect(await offsets('latest')).toEqual([
        [0, 4n],
        [1, 1n],
        [2, 0n],
      ]);
      const later = new Map(await offsets(2_500));
      expect([later.get(0), later.get(1)]).toEqual([2n, 0n]);
      // Where nothing is as late: whoever reads from there sees what comes next.
      expect([undefined, 0n]).toContain(later.get(2));
      const tooLate = new Map(await offsets(9_000));
      expect([undefined, 4n]).toContain(tooLate.get(0));
    });

    test('says that there is no such topic, where one is needed', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const { admin } = await stage.driver();
      const unknown = { code: 'unknown-topic', topic: 'no-such-topic', happened: 'no' };
      expect(await failure(() => admin.offsets('no-such-topic', 'latest', endless))).toMatchObject(unknown);
      expect(await failure(() => admin.deleteTopic('no-such-topic', endless))).toMatchObject(unknown);
      expect(await admin.describeTopic('no-such-topic', ['retention.ms'], endless)).toBeUndefined();
      expect(await admin.topics(endless)).not.toContain('no-such-topic');
    });

    test('lists groups, describes their members, and knows what they have committed', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const { admin } = await stage.driver();
      const [topic, other] = [await stage.topic({ partitions: 2 }), await stage.topic()];
      const group = unique('g');
      const reading = await stage.driver({ clientId: 'reading' });
      const member = await stage.member({ group, topics: [topic] }, reading);
      await eventually('its partitions', () => member.partitions.length === 2);
      await member.commit(7n, 1);
      expect(await admin.groups(endless)).toContain(group);
      const { state, members } = await admin.describeGroup(group, endless);
      expect(state).toBe('Stable');
      expect(members).toHaveLength(1);
      const [only] = members;
      expect(only).toMatchObject({ clientId: 'reading', id: expect.any(String) });
      expect(only?.host).toMatch(/127\.0\.0\.1/);
      const partitions = [...(only?.partitions ?? [])].sort((a, b) => a.partition - b.partition);
      expect(partitions).toEqual([
        { topic, partition: 0 },
        { topic, partition: 1 },
      ]);
      const committed = await admin.committed(group, [topic, other], endless);
      expect(committed.filter(({ partition }) => partition === 1)).toEqual([{ topic, partition: 1, offset: 7n }]);
      expect(committed.some((offset) => offset.topic === other)).toBe(false);
      // It has members.
      const offsets = [{ topic, partition: 0, offset: 3n }];
      expect(await failure(() => admin.commit(group, offsets, endless))).toMatchObject({ happened: 'no' });
      const notEmpty = { code: 'refused', reason: 'NON_EMPTY_GROUP', happened: 'no' };
      expect(await failure(() => admin.deleteGroup(group, endless))).toMatchObject(notEmpty);
      await member.stop();
      expect((await admin.describeGroup(group, endless)).members).toEqual([]);
      await admin.commit(group, offsets, endless);
      expect(await stage.witness.committed(group, topic, 0)).toBe(3n);
      await admin.deleteGroup(group, endless);
      expect(await admin.groups(endless)).not.toContain(group);
      expect(await admin.committed(group, [topic], endless)).toEqual([]);
    });

    test('describes a group by the protocol of Kafka 4 as well', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const { admin } = await stage.driver();
      const topic = await stage.topic({ partitions: 2 });
      const groupId = unique('g');
      const bootstrapBrokers = [...bed.kafka.brokers];
      const member = new Consumer({ groupId, clientId: 'new', bootstrapBrokers, groupProtocol: 'consumer' });
      const messages = await member.consume({ topics: [topic] });
      const described = async () => {
        const { state, members } = await admin.describeGroup(groupId, endless);
        const held = members.flatMap(({ partitions }) => partitions.map(({ partition }) => partition));
        return { state, clients: members.map(({ clientId }) => clientId), held: held.toSorted() };
      };
      await eventually('it has both', async () => (await described()).held.length === 2);
      expect(await described()).toEqual({ state: 'Stable', clients: ['new'], held: [0, 1] });
      await messages.close();
      await member.close();
    });

    test('commits for a group that nobody has been in, and knows nothing of one that is not there', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const { admin } = await stage.driver();
      const topic = await stage.topic({ partitions: 3 });
      const group = unique('g');
      expect(await admin.committed(group, [topic], endless)).toEqual([]);
      expect((await admin.describeGroup(group, endless)).members).toEqual([]);
      const offsets = [
        { topic, partition: 0, offset: 0n },
        { topic, partition: 2, offset: 2n ** 53n + 1n },
      ];
      await admin.commit(group, offsets, endless);
      const committed = await admin.committed(group, [topic], endless);
      expect(committed.toSorted((a, b) => a.partition - b.partition)).toEqual(offsets);
      const failed = await failure(() => admin.deleteGroup(unique('g'), endless));
      expect(failed).toMatchObject({ code: 'refused', reason: 'GROUP_ID_NOT_FOUND', happened: 'no' });
    });
  });

  async function withAppender(stage: Stage) {
    const driver = await stage.driver();
    return { admin: driver.admin, appender: await driver.appender({ signal: endless }) };
  }
}
