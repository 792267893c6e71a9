import { randomUUID } from 'node:crypto';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { expect } from 'vitest';
import { batch, driverFor, endless, join, offsetsOf, read, record, topicWith } from './place.ts';

const test = bedTest({ kafka: 1 });

test('nothing of aborted transactions comes when the reading begins within several', async ({ bed }) => {
  await using driver = await driverFor(bed.kafka.brokers);
  const topic = await topicWith(driver);
  const begin = async (id: string) => {
    const transactor = await driver.transactor(`${id}-${topic}`, { timeout: 60_000, signal: endless });
    await transactor.begin();
    return transactor;
  };
  const several = [await begin('a'), await begin('b'), await begin('c')];
  for (const round of ['1', '2', '3'])
    for (const transactor of several) await transactor.append([batch(topic, [`${transactor.id} ${round}`])]);
  for (const transactor of several) await transactor.abort();
  const appender = await driver.appender({ signal: endless });
  offsetsOf(await appender.append([batch(topic, ['after'])]));
  for (const from of [0n, 3n, 4n, 5n, 6n, 9n]) {
    const reading = await read(driver, { topic, partition: 0 }, from);
    await eventually('it comes to the end', () => reading.next === 13n);
    expect(reading.values(), `from ${from}`).toEqual(['after']);
  }
});

test('a message whose key is four zero bytes is not taken for the end of a transaction', async ({ bed }) => {
  await using driver = await driverFor(bed.kafka.brokers);
  const topic = await topicWith(driver);
  const transactor = await driver.transactor(`id-${topic}`, { timeout: 60_000, signal: endless });
  const zero = record('zero', { key: Buffer.alloc(4) });
  await transactor.begin();
  await transactor.append([{ topic, partition: 0, records: [record('before'), zero, record('behind')] }]);
  await transactor.abort();
  await transactor.begin();
  await transactor.append([{ topic, partition: 0, records: [zero] }]);
  await transactor.commit();
  const reading = await read(driver, { topic, partition: 0 });
  await eventually('it comes to the end', () => reading.next === 6n);
  expect(reading.values()).toEqual(['zero']);
});

test('headers come in the order in which they were written, whatever they are called', async ({ bed }) => {
  await using driver = await driverFor(bed.kafka.brokers);
  const topic = await topicWith(driver);
  const names = ['b', '2', 'a', '1', 'b', 'constructor', '__proto__', 'toString', '2', ''];
  const headers = names.map((name, index) => [name, Buffer.from(`${index}`)] as const);
  const appender = await driver.appender({ signal: endless });
  offsetsOf(await appender.append([{ topic, partition: 0, records: [record('x', { headers, timestamp: 0 })] }]));
  const reading = await read(driver, { topic, partition: 0 });
  await eventually('it is read', () => reading.records.length === 1);
  expect(reading.records[0]).toEqual({ ...record('x', { headers, timestamp: 0 }), offset: 0n });
});

test('what others have compressed is read, also from the middle of a batch', async ({ bed }) => {
  await using driver = await driverFor(bed.kafka.brokers);
  const topic = await topicWith(driver);
  const kafka = new Kafka({ brokers: [...bed.kafka.brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: () => () => 0 });
  await producer.connect();
  const values = Array.from({ length: 500 }, (_, index) => `message ${index}`);
  const messages = values.map((value) => ({ value }));
  await producer.send({ topic, messages, compression: CompressionTypes.GZIP });
  await producer.disconnect();
  const reading = await read(driver, { topic, partition: 0 }, 250n);
  await eventually('it is read', () => reading.next === 500n);
  expect(reading.values()).toEqual(values.slice(250));
});

test('a member begins after the offsets that a transaction commits just now, when it is over', async ({ bed }) => {
  await using driver = await driverFor(bed.kafka.brokers);
  const topic = await topicWith(driver);
  const group = `g-${randomUUID()}`;
  const appender = await driver.appender({ signal: endless });
  offsetsOf(await appender.append([batch(topic, ['1', '2', '3'])]));
  const transactor = await driver.transactor(`id-${topic}`, { timeout: 60_000, signal: endless });
  for (const [offset, end] of [
    [2n, 'commit'],
    [3n, 'abort'],
  ] as const) {
    await transactor.begin();
    await transactor.sendOffsets(group, [{ topic, partition: 0, offset }]);
    let begun = false;
    const joining = join(driver, topic, { group }).then((member) => {
      begun = true;
      return member;
    });
    const members = async (): Promise<number> => (await driver.admin.describeGroup(group, endless)).members.length;
    await eventually('it has joined', async () => (await members()) === 1);
    // It has asked where to begin by the time in which it could have joined once more.
    await (await join(driver, topic, { group: `other-${randomUUID()}` })).reader.stop();
    expect(begun).toBe(false);
    await transactor[end]();
    const { reader, assigned } = await joining;
    expect(assigned).toEqual([{ topic, partition: 0, offset: 2n, missed: 0n }]);
    await reader.stop();
  }
});
