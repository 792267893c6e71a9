import { setImmediate as turn } from 'node:timers/promises';
import { eventually } from '@quorate/testbed';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Appended } from '../driver/appender.ts';
import type { Driver } from '../driver/driver.ts';
import { type KafkaRecord, type RecordBatch, sizeOf } from '../driver/record.ts';
import { KafkaUnreachableError } from '../errors/kafka-unreachable-error.ts';
import { RefusedError } from '../errors/refused-error.ts';
import type { Layout } from './layout.ts';
import { Publisher, type PublisherSettings } from './publisher.ts';

/** A request that was sent to a broker, which answers when the test says so. */
interface Request {
  readonly batches: readonly RecordBatch[];
  readonly partitions: readonly number[];
  /** With the same for each batch. */
  answer(outcome?: Appended): void;
}

/** A publisher to brokers that are none. `leaders`: which of them leads each partition. */
function publisherTo(leaders: readonly number[], settings: Partial<PublisherSettings> = {}) {
  const requests: Request[] = [];
  const renewed: string[] = [];
  const append = (batches: readonly RecordBatch[]): Promise<readonly Appended[]> => {
    const { promise, resolve } = Promise.withResolvers<readonly Appended[]>();
    const answer = (outcome: Appended = { offset: 0n }): void => resolve(batches.map(() => outcome));
    requests.push({ batches, partitions: batches.map(({ partition }) => partition), answer });
    return promise;
  };
  const driver = { appender: async () => ({ append, close: async () => {} }) } as unknown as Driver;
  const layout = { known: () => leaders, renew: (topic: string) => void renewed.push(topic) } as unknown as Layout;
  const usual = { maxBufferedBytes: 1_000_000, batchBytes: 100_000, linger: 0 };
  return { publisher: new Publisher(driver, layout, { ...usual, ...settings }), requests, renewed };
}

function record(bytes = 1): KafkaRecord {
  return { key: null, value: Buffer.alloc(bytes), headers: [], timestamp: 1 };
}

test('a message that is refused for itself is no trouble; brokers that do not answer are, until one does', async () => {
  const { publisher, requests } = publisherTo([1]);
  const send = async (outcome: Appended): Promise<unknown> => {
    const published = publisher.publish('t', 0, record()).catch((error: unknown) => error);
    await turn();
    requests.at(-1)?.answer(outcome);
    return await published;
  };
  const refused = new RefusedError('publish', 'POLICY_VIOLATION');
  expect(await send({ error: refused })).toBe(refused);
  expect(publisher.trouble).toBe(undefined);
  const unreachable = new KafkaUnreachableError('publish');
  expect(await send({ error: unreachable })).toBe(unreachable);
  expect(publisher.trouble).toBe(unreachable);
  // That does not say that they answer to others.
  await send({ error: refused });
  expect(publisher.trouble).toBe(unreachable);
  expect(await send({ offset: 7n })).toBe(7n);
  expect(publisher.trouble).toBe(undefined);
});

test('who leads is asked anew after an error, and not else', async () => {
  const { publisher, requests, renewed } = publisherTo([1]);
  const published = [publisher.publish('t', 0, record())];
  await turn();
  requests[0]?.answer();
  await published[0];
  expect(renewed).toEqual([]);
  published.push(publisher.publish('t', 0, record()));
  await turn();
  requests[1]?.answer({ error: new KafkaUnreachableError('publish') });
  await expect(published[1]).rejects.toMatchObject({ code: 'kafka-unreachable' });
  expect(renewed).toEqual(['t']);
});

test('a broker has one request at a time, and what comes meanwhile goes with the next; another one is not waited for', async () => {
  const { publisher, requests } = publisherTo([1, 1, 1, 2]);
  const publish = (partition: number): Promise<bigint> => publisher.publish('t', partition, record());
  const published = [publish(0)];
  await turn();
  published.push(publish(1), publish(2), publish(3));
  await turn();
  expect(requests.map(({ partitions }) => partitions)).toEqual([[0], [3]]);
  requests[0]?.answer();
  await published[0];
  await turn();
  expect(requests.map(({ partitions }) => partitions)).toEqual([[0], [3], [1, 2]]);
  for (const { answer } of requests) answer();
  await Promise.all(published);
});

test('a request has 64 batches at most, and the others go with the next', async () => {
  const partitions = Array.from({ length: 65 }, (_, partition) => partition);
  const { publisher, requests } = publisherTo(partitions.map(() => 1));
  const published = partitions.map((partition) => publisher.publish('t', partition, record()));
  await turn();
  requests[0]?.answer();
  await published[0];
  await turn();
  requests[1]?.answer();
  await Promise.all(published);
  expect(requests.map((request) => request.partitions)).toEqual([partitions.slice(0, 64), [64]]);
});

test('however often it is closed, each waits until all has been sent', async () => {
  const { publisher, requests } = publisherTo([1]);
  const published = publisher.publish('t', 0, record());
  await turn();
  let closed = 0;
  for (let time = 0; time < 3; time += 1) void publisher.close().then(() => (closed += 1));
  await turn();
  expect(closed).toBe(0);
  requests[0]?.answer();
  await published;
  await eventually('all have been told', () => closed === 3, { within: 5_000 });
});

describe('with a linger', () => {
  afterEach(() => void vi.useRealTimers());

  test('what gets in while it is being closed does not wait for others, for none come', async () => {
    vi.useFakeTimers();
    const linger = 60_000;
    const [small, large] = [record(1), record(1_000)];
    const most = sizeOf(small) + sizeOf(large) - 1;
    const { publisher, requests } = publisherTo([1, 2], { linger, maxBufferedBytes: most });
    const published = [publisher.publish('t', 0, small)];
    await vi.advanceTimersByTimeAsync(linger);
    expect(requests).toHaveLength(1);
    // There is no room for it, and so none for the one behind it.
    const giveUp = new AbortController();
    const waiting = publisher.publish('t', 1, large, giveUp.signal).catch(() => 'given up');
    published.push(publisher.publish('t', 1, small));
    const closed = publisher.close();
    giveUp.abort();
    expect(await waiting).toBe('given up');
    await vi.advanceTimersByTimeAsync(0);
    expect(requests.map(({ partitions }) => partitions)).toEqual([[0], [1]]);
    for (const { answer } of requests) answer();
    await Promise.all([closed, ...published]);
  });
});
