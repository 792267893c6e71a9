import { randomBytes } from 'node:crypto';
import { Admin, Producer } from '@platformatic/kafka';
import { sleep } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { counted } from './counted.ts';
import { batch, endless, Heard, offsetsOf, Stage, series, unique } from './stage.ts';

const test = bedTest({ kafka: 1 });

const start = new Map([[0, 0n]]);
const fetchKey = 1;

test('nothing of an aborted transaction is read, be it larger than an answer or one of many of its producer', async ({
  bed,
}) => {
  await using stage = new Stage(bed.kafka.brokers);
  const topic = await stage.topic();
  const driver = await stage.driver();
  const transactor = await driver.transactor(unique('id'), { timeout: 60_000, signal: endless });
  const part = randomBytes(200_000).toString('base64');
  await transactor.begin();
  // An answer holds a megabyte of a partition: the marker comes three answers later.
  for (let round = 0; round < 12; round += 1) await transactor.append([batch(topic, 0, [part])]);
  await transactor.abort();
  for (const round of series('r', 4)) {
    await transactor.begin();
    await transactor.append([batch(topic, 0, series(`aborted-${round}`, 2))]);
    await transactor.abort();
    await transactor.begin();
    await transactor.append([batch(topic, 0, [`committed-${round}`])]);
    await transactor.commit();
  }
  await stage.append(topic, 0, ['plain']);
  const heard = new Heard();
  await driver.readPartitions({ topic, from: start, signal: endless }, heard.events);
  await eventually('all is read', () => heard.values.includes('plain'));
  expect(heard.values).toEqual([...series('committed-r', 4), 'plain']);
});

test('a record that is kept does not keep what was compressed with it', async ({ bed }) => {
  await using stage = new Stage(bed.kafka.brokers);
  const topic = await stage.topic();
  const producer = new Producer({ clientId: 'compressing', bootstrapBrokers: [...bed.kafka.brokers] });
  const values = ['small', ...series('large'.repeat(20_000), 9)];
  const messages = values.map((value) => ({ topic, partition: 0, value: Buffer.from(value) }));
  await producer.send({ messages, compression: 'gzip' });
  await producer.close();
  const heard = new Heard();
  const driver = await stage.driver();
  await driver.readPartitions({ topic, from: start, signal: endless }, heard.events);
  await eventually('all is read', () => heard.records.length === 10);
  expect(heard.values).toEqual(values);
  // Small ones share a page.
  expect(heard.records[0]?.value?.buffer.byteLength).toBeLessThan(128 * 1024);
});

test('a reader that has nothing to read asks a few times a second', async ({ bed }) => {
  await using stage = new Stage(bed.kafka.brokers);
  const topic = await stage.topic(3);
  const heard = new Heard();
  const driver = await stage.driver();
  const from = new Map([0, 1, 2].map((partition) => [partition, 0n] as const));
  const reader = await driver.readPartitions({ topic, from, signal: endless }, heard.events);
  await stage.append(topic, 0, ['x']);
  await eventually('it reads', () => heard.records.length === 1);
  const asked = counted(fetchKey);
  await sleep(1_000);
  expect(asked()).toBeLessThanOrEqual(4);
  // And while one is paused so often that the one is soon back.
  reader.pause({ topic, partition: 0 });
  const before = asked();
  await sleep(1_000);
  expect(asked() - before).toBeLessThanOrEqual(16);
  // While all are, not at all.
  for (const partition of [1, 2]) reader.pause({ topic, partition });
  await sleep(200);
  const paused = asked();
  await sleep(300);
  expect(asked()).toBe(paused);
});

test('what came while a partition was paused is there soon after it is resumed', async ({ bed }) => {
  await using stage = new Stage(bed.kafka.brokers);
  const topic = await stage.topic(2);
  const driver = await stage.driver();
  const heard = new Heard();
  const from = new Map([0, 1].map((partition) => [partition, 0n] as const));
  const reader = await driver.readPartitions({ topic, from, signal: endless }, heard.events);
  await stage.append(topic, 1, ['begun']);
  await eventually('it reads', () => heard.values.includes('begun'));
  reader.pause({ topic, partition: 0 });
  // This one may be on its way.
  await stage.append(topic, 0, ['first']);
  await stage.append(topic, 1, ['goes on']);
  await eventually('it reads', () => heard.values.includes('goes on'));
  const took: number[] = [];
  const asked = counted(fetchKey);
  for (const value of series('m', 7)) {
    await stage.append(topic, 0, [value]);
    // The broker has just been asked, and waits.
    const before = asked();
    await eventually('it asks again', () => asked() >= before + 2, { every: 1 });
    reader.resume({ topic, partition: 0 });
    const begun = performance.now();
    await eventually('it is there', () => heard.values.includes(value), { every: 1 });
    took.push(performance.now() - begun);
    reader.pause({ topic, partition: 0 });
  }
  expect(took.toSorted((a, b) => a - b)[3]).toBeLessThan(150);
});

test('a partition that cannot be read keeps no other waiting', async ({ bed }) => {
  await using stage = new Stage(bed.kafka.brokers);
  const topics = [await stage.topic(), await stage.topic()];
  const [gone = '', stays = ''] = topics;
  const driver = await stage.driver();
  const heard = new Heard();
  const events = {
    ...heard.events,
    assigned: () => {},
    revoked: async () => {},
    lost: () => {},
    confirmed: () => {},
  };
  const options = { from: 'earliest', sessionTimeout: 10_000, handOver: 1_000, signal: endless } as const;
  await driver.readGroup({ ...options, group: unique('g'), topics }, events);
  await stage.append(stays, 0, ['before']);
  await eventually('it reads', () => heard.values.includes('before'));
  await driver.admin.deleteTopic(gone, endless);
  await eventually('it says so', () => heard.troubles.includes('unknown-topic'));
  const appender = await driver.appender({ signal: endless });
  const took: number[] = [];
  for (const value of series('m', 9)) {
    const begun = performance.now();
    offsetsOf(await appender.append([batch(stays, 0, [value])]));
    await eventually('it reads on', () => heard.values.includes(value), { every: 1 });
    took.push(performance.now() - begun);
  }
  expect(took.toSorted((a, b) => a - b)[4]).toBeLessThan(100);
});

test('a topic that was deleted and made again is read from its beginning', async ({ bed }) => {
  await using stage = new Stage(bed.kafka.brokers);
  const topic = await stage.topic();
  const driver = await stage.driver();
  await stage.append(topic, 0, series('old', 3));
  const heard = new Heard();
  const reader = await driver.readPartitions({ topic, from: start, signal: endless }, heard.events);
  await eventually('it reads', () => heard.records.length === 3);
  // It learns of it when there is already more than it had.
  reader.pause({ topic, partition: 0 });
  await driver.admin.deleteTopic(topic, endless);
  const shape = { partitions: 1, replication: 1, settings: {} };
  await eventually('it is made again', () => driver.admin.createTopic(topic, shape, endless));
  await stage.append(topic, 0, series('new', 5));
  reader.resume({ topic, partition: 0 });
  await eventually('it reads', () => heard.values.includes('new-4'));
  expect(heard.values).toEqual([...series('old', 3), ...series('new', 5)]);
});

test('what retention takes from a reader is told, and it goes on after that', async ({ bed }) => {
  await using stage = new Stage(bed.kafka.brokers);
  const topic = await stage.topic();
  const driver = await stage.driver();
  const heard = new Heard();
  await stage.append(topic, 0, series('m', 10));
  const admin = new Admin({ clientId: 'retention', bootstrapBrokers: [...bed.kafka.brokers] });
  await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 6n }] }] });
  await admin.close();
  await driver.readPartitions({ topic, from: new Map([[0, 2n]]), signal: endless }, heard.events);
  await eventually('it reads', () => heard.next === 10n);
  expect([heard.values, heard.missing]).toEqual([series('m', 10).slice(6), [4n]]);
});

test('it stops at once, though a broker is about to wait for it', async ({ bed }) => {
  await using stage = new Stage(bed.kafka.brokers);
  const topic = await stage.topic();
  const driver = await stage.driver();
  const heard = new Heard();
  const reader = await driver.readPartitions({ topic, from: start, signal: endless }, heard.events);
  const appender = await driver.appender({ signal: endless });
  offsetsOf(await appender.append([batch(topic, 0, ['x'])]));
  await eventually('it reads', () => heard.records.length === 1);
  const begun = performance.now();
  await reader.stop();
  expect(performance.now() - begun).toBeLessThan(100);
});
