import { randomUUID } from 'node:crypto';
import type { Appended } from '../../src/driver/appender.ts';
import type { Driver } from '../../src/driver/driver.ts';
import type { Assigned, GroupReader, GroupReaderOptions } from '../../src/driver/group-reader.ts';
import { kafkajsDriver } from '../../src/driver/kafkajs/kafkajs-driver.ts';
import type { KafkaRecord, ReadRecord, RecordBatch, TopicPartition } from '../../src/driver/record.ts';
import type { ConnectionSettings } from '../../src/driver/settings.ts';

/** For what nobody ends. */
export const endless: AbortSignal = new AbortController().signal;

/** Closed at the end of the block. */
export async function driverFor(
  brokers: readonly string[],
  settings: Partial<ConnectionSettings> = {},
): Promise<Driver & AsyncDisposable> {
  const driver = await kafkajsDriver({
    brokers,
    clientId: 'test',
    tls: undefined,
    sasl: undefined,
    connectTimeout: 1_000,
    requestTimeout: 2_000,
    deliveryTimeout: 10_000,
    ...settings,
  });
  return Object.assign(driver, { [Symbol.asyncDispose]: () => driver.close() });
}

export async function topicWith(driver: Driver, partitions = 1, replication = 1): Promise<string> {
  const topic = `t-${randomUUID()}`;
  await driver.admin.createTopic(topic, { partitions, replication, settings: {} }, endless);
  return topic;
}

export function record(value: string, given: Partial<KafkaRecord> = {}): KafkaRecord {
  return { key: null, value: Buffer.from(value), headers: [], timestamp: Date.now(), ...given };
}

export function batch(topic: string, values: readonly string[], partition = 0): RecordBatch {
  return { topic, partition, records: values.map((value) => record(value)) };
}

/** Where each batch stands; an outcome without an offset fails the test. */
export function offsetsOf(outcomes: readonly Appended[]): bigint[] {
  return outcomes.map(({ offset, error }) => {
    if (offset === undefined) throw error;
    return offset;
  });
}

/** Reads a partition until it is stopped, or its driver is closed. */
export async function read(driver: Driver, { topic, partition }: TopicPartition, from = 0n) {
  const records: ReadRecord[] = [];
  const found = { records, next: from, values: () => records.map(({ value }) => String(value)) };
  const take = (_: TopicPartition, come: readonly ReadRecord[], { next }: { readonly next: bigint }): void => {
    records.push(...come);
    found.next = next;
  };
  const nothing = (): void => {};
  await driver.readPartitions(
    { topic, from: new Map([[partition, from]]), signal: endless },
    { records: take, missed: nothing, trouble: nothing },
  );
  return found;
}

/** Joins a group, and keeps what it is assigned. */
export async function join(
  driver: Driver,
  topic: string,
  options: Partial<GroupReaderOptions> & { readonly group: string },
): Promise<{ readonly reader: GroupReader; readonly assigned: readonly Assigned[] }> {
  const assigned: Assigned[] = [];
  const nothing = (): void => {};
  const reader = await driver.readGroup(
    { topics: [topic], from: 'earliest', sessionTimeout: 6_000, handOver: 1_000, signal: endless, ...options },
    {
      assigned: (partitions) => void assigned.push(...partitions),
      revoked: async () => {},
      lost: nothing,
      records: nothing,
      confirmed: nothing,
      trouble: nothing,
    },
  );
  return { reader, assigned };
}
