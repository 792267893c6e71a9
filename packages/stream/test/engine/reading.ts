import { type CompressionAlgorithmValue, Producer } from '@platformatic/kafka';
import { sleep } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { expect } from 'vitest';
import { fetch } from '../../src/driver/engine/protocol/fetch.ts';
import { contractTest as test } from '../driver/contract.ts';
import { drivers } from '../driver/drivers.ts';
import { eachDriver } from '../driver/each-driver.ts';
import { batch, endless, offsetsOf, record, Stage, series, unique } from '../driver/stage.ts';
import { Counted } from './counted.ts';

const start = new Map([[0, 0n]]);

const codecs: readonly CompressionAlgorithmValue[] = ['gzip', 'snappy', 'lz4', 'zstd'];

/** Part of the contract of the drivers. */
export function readsWhatIsThere(): void {
  eachDriver(drivers, 'reads', (name, open) => {
    test('nothing of aborted transactions when it begins within several', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const driver = await stage.driver();
      const several = await Promise.all(
        series('id', 3).map((id) => driver.transactor(unique(id), { timeout: 60_000, signal: endless })),
      );
      for (const transactor of several) await transactor.begin();
      for (const round of series('r', 3))
        for (const transactor of several) await transactor.append([batch(topic, 0, [`${transactor.id} ${round}`])]);
      for (const transactor of several) await transactor.abort();
      await stage.witness.produce(topic, 0, ['after']);
      for (const from of [0n, 3n, 4n, 5n, 6n, 9n]) {
        const follower = await stage.follower({ topic, from: new Map([[0, from]]) }, driver);
        await eventually('it comes to the end', () => follower.course().next === 13n);
        expect(follower.values(), `from ${from}`).toEqual(['after']);
      }
    });

    test('a message whose key is four zero bytes, which is no end of a transaction', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const transactor = await stage.transactor(unique('id'));
      const zero = record('zero', { key: Buffer.alloc(4) });
      await transactor.begin();
      await transactor.append([{ topic, partition: 0, records: [record('before'), zero, record('behind')] }]);
      await transactor.abort();
      await transactor.begin();
      await transactor.append([{ topic, partition: 0, records: [zero] }]);
      await transactor.commit();
      const follower = await stage.follower({ topic, from: start });
      await eventually('it comes to the end', () => follower.course().next === 6n);
      expect(follower.values()).toEqual(['zero']);
    });

    test('headers in the order in which they were written, whatever they are called', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const names = ['b', '2', 'a', '1', 'b', 'constructor', '__proto__', 'toString', '2', ''];
      const headers = names.map((name, index) => [name, Buffer.from(`${index}`)] as const);
      const appender = await stage.appender();
      offsetsOf(await appender.append([{ topic, partition: 0, records: [record('x', { headers, timestamp: 0 })] }]));
      const follower = await stage.follower({ topic, from: start });
      await eventually('it is read', () => follower.values().length === 1);
      expect(follower.course().records[0]).toEqual({ ...record('x', { headers, timestamp: 0 }), offset: 0n });
    });

    test.for(codecs)(
      'what others have compressed by %s, also from the middle of a batch',
      async (compression, { bed }) => {
        await using stage = new Stage(open, bed.kafka.brokers);
        const topic = await stage.topic();
        const values = series('a message '.repeat(20), 500);
        await produce(bed.kafka.brokers, topic, values, compression);
        const follower = await stage.follower({ topic, from: new Map([[0, 250n]]) });
        await eventually('it is read', () => follower.course().next === 500n);
        expect(follower.values()).toEqual(values.slice(250));
      },
    );

    test('a record that is kept, and not what was compressed with it', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const values = ['small', ...series('large'.repeat(20_000), 9)];
      await produce(bed.kafka.brokers, topic, values, 'gzip');
      const follower = await stage.follower({ topic, from: start });
      await eventually('all is read', () => follower.values().length === 10);
      expect(follower.values()).toEqual(values);
      // Small ones share a page.
      expect(follower.course().records[0]?.value?.buffer.byteLength).toBeLessThan(128 * 1024);
    });

    test('a few times a second where there is nothing to read', async ({ bed }) => {
      const counted = new Counted(name);
      await using stage = new Stage(counted.open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 3 });
      const { reader, values } = await readerOf(stage, topic, [0, 1, 2]);
      await stage.witness.produce(topic, 0, ['x']);
      await eventually('it reads', () => values().length === 1);
      const begun = counted.of(fetch);
      await sleep(1_000);
      expect(counted.of(fetch) - begun).toBeLessThanOrEqual(4);
      // And while one is paused so often that the one is soon back.
      reader.pause({ topic, partition: 0 });
      const before = counted.of(fetch);
      await sleep(1_000);
      expect(counted.of(fetch) - before).toBeLessThanOrEqual(16);
      // While all are, not at all.
      for (const partition of [1, 2]) reader.pause({ topic, partition });
      await sleep(200);
      const paused = counted.of(fetch);
      await sleep(300);
      expect(counted.of(fetch)).toBe(paused);
    });

    test('what came while a partition was paused soon after it is resumed', async ({ bed }) => {
      const counted = new Counted(name);
      await using stage = new Stage(counted.open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const { reader, values } = await readerOf(stage, topic, [0, 1]);
      await stage.witness.produce(topic, 1, ['begun']);
      await eventually('it reads', () => values(1).includes('begun'));
      reader.pause({ topic, partition: 0 });
      // This one may be on its way.
      await stage.witness.produce(topic, 0, ['first']);
      await stage.witness.produce(topic, 1, ['goes on']);
      await eventually('it reads', () => values(1).includes('goes on'));
      const took: number[] = [];
      for (const value of series('m', 7)) {
        await stage.witness.produce(topic, 0, [value]);
        // The broker has just been asked, and waits.
        const before = counted.of(fetch);
        await eventually('it asks again', () => counted.of(fetch) >= before + 2, { every: 1 });
        reader.resume({ topic, partition: 0 });
        const begun = performance.now();
        await eventually('it is there', () => values().includes(value), { every: 1 });
        took.push(performance.now() - begun);
        reader.pause({ topic, partition: 0 });
      }
      // A broker that has just been asked would wait for 500.
      expect(took.toSorted((a, b) => a - b)[3]).toBeLessThan(350);
    });

    test('on while another partition cannot be read', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topics = [await stage.topic(), await stage.topic()];
      const [gone = '', stays = ''] = topics;
      const driver = await stage.driver();
      const member = await stage.member({ group: unique('g'), topics, sessionTimeout: 10_000 }, driver);
      const read = (value: string): boolean => member.course(0, stays).values.includes(value);
      await stage.witness.produce(stays, 0, ['before']);
      await eventually('it reads', () => read('before'));
      await driver.admin.deleteTopic(gone, endless);
      await eventually('it says so', () => member.troubles.some((error) => error?.code === 'unknown-topic'));
      const appender = await driver.appender({ signal: endless });
      const took: number[] = [];
      for (const value of series('m', 9)) {
        const begun = performance.now();
        offsetsOf(await appender.append([batch(stays, 0, [value])]));
        await eventually('it reads on', () => read(value), { every: 1 });
        took.push(performance.now() - begun);
      }
      expect(took.toSorted((a, b) => a - b)[4]).toBeLessThan(100);
    });

    test('a topic that was deleted and made again from its beginning', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const driver = await stage.driver();
      await stage.witness.produce(topic, 0, series('old', 3));
      const values: string[] = [];
      // What comes is of two logs, of which a follower would complain.
      const reader = await driver.readPartitions(
        { topic, from: start, signal: endless },
        {
          records: (_, records) => void values.push(...records.map(({ value }) => String(value))),
          missed: () => {},
          trouble: () => {},
        },
      );
      await eventually('it reads', () => values.length === 3);
      // It learns of it when there is already more than it had.
      reader.pause({ topic, partition: 0 });
      await driver.admin.deleteTopic(topic, endless);
      const shape = { partitions: 1, replication: 1, settings: {} };
      await eventually('it is made again', () => driver.admin.createTopic(topic, shape, endless));
      const appender = await driver.appender({ signal: endless });
      offsetsOf(await appender.append([batch(topic, 0, series('new', 5))]));
      reader.resume({ topic, partition: 0 });
      await eventually('it reads', () => values.includes('new-4'));
      expect(values).toEqual([...series('old', 3), ...series('new', 5)]);
    });

    test('until it is stopped, at once, though a broker is about to wait for it', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const follower = await stage.follower({ topic, from: start });
      await stage.witness.produce(topic, 0, ['x']);
      await eventually('it reads', () => follower.values().length === 1);
      const begun = performance.now();
      await follower.stop();
      expect(performance.now() - begun).toBeLessThan(100);
    });
  });

  async function readerOf(stage: Stage, topic: string, partitions: readonly number[]) {
    const follower = await stage.follower({ topic, from: new Map(partitions.map((partition) => [partition, 0n])) });
    return { reader: follower.reader, values: (partition?: number) => follower.values(partition) };
  }

  async function produce(
    brokers: readonly string[],
    topic: string,
    values: readonly string[],
    compression: CompressionAlgorithmValue,
  ): Promise<void> {
    const producer = new Producer({ clientId: 'compressing', bootstrapBrokers: [...brokers] });
    const messages = values.map((value) => ({ topic, partition: 0, value: Buffer.from(value) }));
    await producer.send({ messages, compression });
    await producer.close();
  }
}
