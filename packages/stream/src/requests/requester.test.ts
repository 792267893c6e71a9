import { AmbiguousError } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { afterEach, expect, test, vi } from 'vitest';
import type { Connection, Opened } from '../connection.ts';
import type { PartitionReaderEvents } from '../driver/partition-reader.ts';
import type { KafkaRecord } from '../driver/record.ts';
import { KafkaUnreachableError } from '../errors/kafka-unreachable-error.ts';
import { RefusedError } from '../errors/refused-error.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import { headerNames, headersByName } from '../topic/headers.ts';
import { Exchange } from './exchange.ts';
import { Requester } from './requester.ts';

const days = 86_400_000;
const partitions = 6;

afterEach(() => void vi.useRealTimers());

/** A stand-in for Kafka: it keeps what is published, and what it replies is up to the test. */
class Fake {
  readonly published: { readonly topic: string; readonly partition: number; readonly record: KafkaRecord }[] = [];
  /** Of requests, when they have been sent. */
  outcome: Error | undefined;
  #events: PartitionReaderEvents | undefined;

  /** What was asked for. */
  get requests(): readonly string[] {
    return this.published.filter(({ topic }) => topic === 't').map(({ record }) => String(record.value));
  }

  /** `before`: what has to be before anything is reached. */
  requester(before: () => Promise<void> = async () => {}): Requester {
    const open = async (): Promise<Opened> => {
      await before();
      return this.#opened();
    };
    const connection = { open, until: (signal: AbortSignal) => signal } as unknown as Connection;
    return new Requester(new Exchange('t', {}), connection);
  }

  /** To the request that was sent first. */
  answer(kind: string, text: string): void {
    const asked = headersByName(this.published[0]?.record.headers ?? []);
    const headers = Object.entries({
      [headerNames.correlation]: asked[headerNames.correlation],
      [headerNames.kind]: kind,
    });
    const record = {
      key: null,
      value: Buffer.from(text),
      headers: headers.map(([name, value]) => [name, Buffer.from(String(value))] as const),
      timestamp: 1,
      offset: 0n,
    };
    this.#events?.records({ topic: 't.replies', partition: 0 }, [record], { next: 1n, end: 1n });
  }

  #opened(): Opened {
    const leaders = Array.from({ length: partitions }, () => 1);
    const driver = {
      admin: { leaders: async () => leaders, offsets: async () => new Map([[0, 0n]]) },
      readPartitions: async (_: unknown, events: PartitionReaderEvents) => {
        this.#events = events;
        return { stop: async () => {} };
      },
    };
    const publish = async (topic: string, partition: number, record: KafkaRecord): Promise<bigint> => {
      this.published.push({ topic, partition, record });
      if (topic === 't' && this.outcome) throw this.outcome;
      return 0n;
    };
    return { driver, layout: { known: () => leaders }, publisher: { publish } } as unknown as Opened;
  }
}

test('a request waits for as long as it says, also when that is longer than a timer can be', async () => {
  vi.useFakeTimers();
  // Nobody is reached meanwhile.
  const connection = { open: () => new Promise(() => {}) } as unknown as Connection;
  const requester = new Requester(new Exchange('t', {}), connection);
  const request = requester.request('x', { timeout: '30d' });
  const outcome = request.catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(10);
  expect(requester.stats().pending).toBe(1);
  await vi.advanceTimersByTimeAsync(30 * days - 11);
  expect(requester.stats().pending).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await outcome).toMatchObject({ code: 'deadline-exceeded', message: expect.stringContaining('t: no reply') });
  expect(requester.stats().pending).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('who gives up gets the reason of the own signal, and leaves nothing behind', async () => {
  const connection = { open: () => new Promise(() => {}) } as unknown as Connection;
  const requester = new Requester(new Exchange('t', {}), connection);
  const giveUp = new AbortController();
  const request = requester.request('x', { signal: giveUp.signal });
  giveUp.abort(new Error('enough'));
  await expect(request).rejects.toThrow('enough');
  expect(requester.stats().pending).toBe(0);
});

test('requests of one key go to its partition, and those without a key to one after the other', async () => {
  const fake = new Fake();
  await using requester = fake.requester();
  const requests = ['a', 'a', 'b', 'b', undefined, undefined].map((key) =>
    requester.request('x', key === undefined ? {} : { key }).catch(() => {}),
  );
  await eventually('all are sent', () => fake.published.length === requests.length);
  const [a, b] = ['a', 'b'].map((key) => partitionOf(Buffer.from(key), partitions));
  expect(fake.published.map(({ partition }) => partition)).toEqual([a, a, b, b, 1, 2]);
});

test('a request that is given up before it is sent is not sent', async () => {
  const reached = Promise.withResolvers<void>();
  const fake = new Fake();
  await using requester = fake.requester(() => reached.promise);
  const giveUp = new AbortController();
  const first = requester.request('first', { signal: giveUp.signal });
  const second = requester.request('second').catch(() => {});
  giveUp.abort(new Error('enough'));
  await expect(first).rejects.toThrow('enough');
  reached.resolve();
  await eventually('the other one is sent', () => fake.requests.includes('"second"'));
  expect(fake.requests).toEqual(['"second"']);
  expect(requester.stats()).toMatchObject({ sent: 1, pending: 1 });
  await requester.stop();
  await second;
});

test('a request that is given up after it was sent is cancelled', async () => {
  const fake = new Fake();
  await using requester = fake.requester();
  const giveUp = new AbortController();
  const request = requester.request('x', { signal: giveUp.signal }).catch((error: unknown) => error);
  await eventually('it is sent', () => fake.requests.length > 0);
  giveUp.abort(new Error('enough'));
  await request;
  await eventually('it is cancelled', () => fake.published.length > 1, { within: 5_000 });
  const [sent, cancelled] = fake.published.map(({ record }) => headersByName(record.headers)[headerNames.correlation]);
  expect([fake.published[1]?.topic, cancelled]).toEqual(['t.cancels', sent]);
});

test('a request of which nobody knows whether it was sent is cancelled, and one that was not sent is not', async () => {
  const fake = new Fake();
  await using requester = fake.requester();
  fake.outcome = new RefusedError('publish', 'POLICY_VIOLATION');
  await expect(requester.request('x')).rejects.toBe(fake.outcome);
  fake.outcome = new AmbiguousError('no answer');
  await expect(requester.request('x')).rejects.toBe(fake.outcome);
  await eventually('it is cancelled', () => fake.published.length > 2, { within: 5_000 });
  expect(fake.published.map(({ topic }) => topic)).toEqual(['t', 't', 't.cancels']);
  const [, doubtful, cancelled] = fake.published.map(
    ({ record }) => headersByName(record.headers)[headerNames.correlation],
  );
  expect(cancelled).toBe(doubtful);
});

test('who fails to hear of progress gets that error, and the request is cancelled', async () => {
  const fake = new Fake();
  await using requester = fake.requester();
  const onProgress = (): void => {
    throw new Error('not what I wanted');
  };
  const outcome = requester.request('x', { onProgress }).catch((error: unknown) => error);
  await eventually('it is sent', () => fake.requests.length > 0);
  fake.answer('progress', '"half"');
  expect(await outcome).toMatchObject({ message: 'not what I wanted' });
  await eventually('it is cancelled', () => fake.published.at(-1)?.topic === 't.cancels', { within: 5_000 });
});

test('progress that cannot be read is left out, and the reply comes all the same', async () => {
  const fake = new Fake();
  await using requester = fake.requester();
  const told: unknown[] = [];
  const request = requester.request('x', { onProgress: (progress) => told.push(progress) });
  await eventually('it is sent', () => fake.published.length > 0);
  fake.answer('progress', '"half"');
  fake.answer('progress', '{');
  fake.answer('reply', '"done"');
  expect(await request).toBe('done');
  expect(told).toEqual(['half']);
});

test('when Kafka was not reached, the next request tries anew', async () => {
  let tries = 0;
  const fake = new Fake();
  await using requester = fake.requester(async () => {
    tries += 1;
    if (tries === 1) throw new KafkaUnreachableError('open');
  });
  await expect(requester.request('x')).rejects.toMatchObject({ code: 'kafka-unreachable' });
  const request = requester.request('x');
  await Promise.race([eventually('it is sent', () => fake.published.length > 0), request]);
  fake.answer('reply', '"done"');
  expect(await request).toBe('done');
});
