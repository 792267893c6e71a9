import { randomUUID } from 'node:crypto';
import * as library from '@platformatic/kafka';
import type { Appended } from '../../src/driver/appender.ts';
import type { Driver } from '../../src/driver/driver.ts';
import { Cluster } from '../../src/driver/platformatic/cluster.ts';
import { Connections } from '../../src/driver/platformatic/connections.ts';
import { platformaticDriver } from '../../src/driver/platformatic/platformatic-driver.ts';
import { requestsOf } from '../../src/driver/platformatic/requests.ts';
import type { KafkaRecord, ReadRecord, RecordBatch } from '../../src/driver/record.ts';
import type { ConnectionSettings } from '../../src/driver/settings.ts';

/** For what nobody ends. */
export const endless: AbortSignal = new AbortController().signal;

const settingsFor = (brokers: readonly string[]): ConnectionSettings => ({
  brokers,
  clientId: 'test',
  tls: undefined,
  sasl: undefined,
  connectTimeout: 2_000,
  requestTimeout: 3_000,
  deliveryTimeout: 20_000,
});

/** Drivers, and what stands below them, until the end of a test. */
export class Stage implements AsyncDisposable {
  readonly settings: ConnectionSettings;
  readonly #closing: (() => Promise<void>)[] = [];

  constructor(brokers: readonly string[], settings: Partial<ConnectionSettings> = {}) {
    this.settings = { ...settingsFor(brokers), ...settings };
  }

  async driver(settings: Partial<ConnectionSettings> = {}): Promise<Driver> {
    const driver = await platformaticDriver({ ...this.settings, ...settings });
    this.#closing.push(() => driver.close());
    return driver;
  }

  cluster(): Cluster {
    const connections = new Connections(library, requestsOf(library), this.settings);
    this.#closing.push(async () => connections.close());
    return new Cluster(connections, this.settings);
  }

  async topic(partitions = 1, settings: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = unique('t');
    await using own = new Stage(this.settings.brokers);
    await (await own.driver()).admin.createTopic(topic, { partitions, replication: -1, settings }, endless);
    return topic;
  }

  async append(topic: string, partition: number, values: readonly string[]): Promise<bigint[]> {
    await using own = new Stage(this.settings.brokers);
    const appender = await (await own.driver()).appender({ signal: endless });
    return offsetsOf(await appender.append([batch(topic, partition, values)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#closing.map((close) => close()));
  }
}

/** Keeps what comes of each partition. */
export class Heard {
  readonly records: ReadRecord[] = [];
  readonly troubles: string[] = [];
  readonly missing: bigint[] = [];
  next = -1n;

  get values(): string[] {
    return this.records.map(({ value }) => String(value));
  }

  get events() {
    return {
      records: (_: unknown, records: readonly ReadRecord[], where: { readonly next: bigint }): void => {
        this.records.push(...records);
        this.next = where.next;
      },
      missed: (_: unknown, count: bigint): void => void this.missing.push(count),
      trouble: (error: { readonly code: string } | undefined): void => void this.troubles.push(error?.code ?? 'well'),
    };
  }
}

export function unique(what: string): string {
  return `${what}-${randomUUID().slice(0, 13)}`;
}

function record(value: string | Buffer): KafkaRecord {
  return { key: null, value: Buffer.from(value), headers: [], timestamp: Date.now() };
}

export function batch(topic: string, partition: number, values: readonly (string | Buffer)[]): RecordBatch {
  return { topic, partition, records: values.map(record) };
}

/** `a-0`, `a-1`, … */
export function series(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index}`);
}

export function offsetsOf(outcomes: readonly Appended[]): bigint[] {
  return outcomes.map(({ offset, error }) => {
    if (offset === undefined) throw error;
    return offset;
  });
}

/** What an action fails with; undefined when it does not. */
export async function failure(action: () => Promise<unknown>): Promise<unknown> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return error;
  }
}
