import { randomUUID } from 'node:crypto';
import type { QuorateError } from '@quorate/core';
import { deadline } from '@quorate/core';
import type { Appended, Appender } from '../../src/driver/appender.ts';
import type { Driver } from '../../src/driver/driver.ts';
import type { KafkaRecord, RecordBatch } from '../../src/driver/record.ts';
import type { ConnectionSettings } from '../../src/driver/settings.ts';
import type { Transactor } from '../../src/driver/transactor.ts';
import type { OpenDriver } from './drivers.ts';
import { Follower, type FollowerOptions } from './follower.ts';
import { Member, type MemberOptions } from './member.ts';
import { type WantedTopic, Witness } from './witness.ts';

/** For what nobody ends. */
export const endless: AbortSignal = new AbortController().signal;

export const defaultSettings: Omit<ConnectionSettings, 'brokers'> = {
  clientId: 'contract',
  tls: undefined,
  sasl: undefined,
  connectTimeout: 2_000,
  requestTimeout: 2_000,
  deliveryTimeout: 10_000,
};

/**
 * What one test of a driver has: drivers, readers, topics, a witness. After the test all is closed, and whatever a reader has
 * complained of fails the test.
 */
export class Stage implements AsyncDisposable {
  readonly witness: Witness;
  readonly #open: OpenDriver;
  readonly #settings: ConnectionSettings;
  readonly #drivers: Driver[] = [];
  readonly #readers: (Member | Follower)[] = [];

  /** `brokers` are for the witness, and for drivers that are told of no others. */
  constructor(open: OpenDriver, brokers: readonly string[], settings: Partial<ConnectionSettings> = {}) {
    this.#open = open;
    this.#settings = { ...defaultSettings, brokers, ...settings };
    this.witness = new Witness(brokers);
  }

  async driver(settings: Partial<ConnectionSettings> = {}): Promise<Driver> {
    const driver = await this.#open({ ...this.#settings, ...settings });
    this.#drivers.push(driver);
    return driver;
  }

  async appender(settings: Partial<ConnectionSettings> = {}): Promise<Appender> {
    return (await this.driver(settings)).appender({ signal: endless });
  }

  async transactor(id: string, timeout = 60_000, settings: Partial<ConnectionSettings> = {}): Promise<Transactor> {
    return (await this.driver(settings)).transactor(id, { timeout, signal: endless });
  }

  topic(wanted: WantedTopic = {}): Promise<string> {
    return this.witness.topic(wanted);
  }

  /** By a driver of its own, unless another is given. */
  async member(options: MemberOptions, driver?: Driver): Promise<Member> {
    const member = await Member.join(driver ?? (await this.driver()), options);
    this.#readers.push(member);
    return member;
  }

  async follower(options: FollowerOptions, driver?: Driver): Promise<Follower> {
    const follower = await Follower.of(driver ?? (await this.driver()), options);
    this.#readers.push(follower);
    return follower;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Promise.all(this.#drivers.map((driver) => driver.close()));
    await within(15_000, 'every driver is closed', closed);
    await this.witness[Symbol.asyncDispose]();
    const complaints = this.#readers.flatMap((reader) => reader.complaints);
    if (complaints.length > 0) throw new Error(`broken promises:\n${complaints.join('\n')}`);
  }
}

export function unique(what: string): string {
  return `${what}-${randomUUID().slice(0, 13)}`;
}

export function record(value: string | Buffer | null, given: Partial<KafkaRecord> = {}): KafkaRecord {
  const bytes = value === null ? null : Buffer.from(value);
  return { key: null, value: bytes, headers: [], timestamp: Date.now(), ...given };
}

/** What few write, and everybody may: bytes that are no text, nothing at all, and a header that comes twice. */
export const oddRecords: readonly KafkaRecord[] = [
  {
    key: Buffer.from([0, 255, 1]),
    value: Buffer.from([255, 254]),
    headers: [
      ['to', Buffer.from('a')],
      ['to', Buffer.from([0xff, 0x00])],
    ],
    timestamp: 1_700_000_000_001,
  },
  { key: null, value: null, headers: [], timestamp: 1_600_000_000_002 },
];

export function batch(topic: string, partition: number, values: readonly (string | Buffer)[]): RecordBatch {
  return { topic, partition, records: values.map((value) => record(value)) };
}

/** `a-0`, `a-1`, … */
export function series(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index}`);
}

/** Where each batch stands; an outcome without an offset fails the test. */
export function offsetsOf(outcomes: readonly Appended[]): bigint[] {
  return outcomes.map(({ offset, error }) => {
    if (offset === undefined) throw error;
    return offset;
  });
}

/** How the only outcome failed; one that did not fails the test. */
export function errorOf(outcomes: readonly Appended[], index = 0): QuorateError {
  const error = outcomes[index]?.error;
  if (!error) throw new Error(`it did not fail: ${String(outcomes[index]?.offset)}`);
  return error;
}

/** What an action fails with; undefined when it does not. */
export async function failure(action: () => Promise<unknown>): Promise<QuorateError | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return error as QuorateError;
  }
}

/** Fails when it takes longer: for what is promised to end by itself. */
export async function within<T>(ms: number, what: string, action: Promise<T>): Promise<T> {
  using limit = deadline(ms);
  const late = new Promise<never>((_, reject) => {
    limit.signal.addEventListener('abort', () => reject(new Error(`${what}: not within ${ms} ms`)), { once: true });
  });
  return await Promise.race([action, late]);
}

/** What this process is warned of meanwhile: Node.js prints it. */
export function warned(): Disposable & { readonly of: readonly string[] } {
  const of: string[] = [];
  const listen = ({ message }: Error): void => void of.push(message);
  process.on('warning', listen);
  return { of, [Symbol.dispose]: () => void process.off('warning', listen) };
}
