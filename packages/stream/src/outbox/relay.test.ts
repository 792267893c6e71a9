import { EventEmitter, once } from 'node:events';
import { eventually } from '@quorate/testbed';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Connection } from '../connection.ts';
import type { Driver } from '../driver/driver.ts';
import type { RecordBatch } from '../driver/record.ts';
import { KafkaUnreachableError } from '../errors/kafka-unreachable-error.ts';
import { RefusedError } from '../errors/refused-error.ts';
import type { Layout } from '../publishing/layout.ts';
import { Publisher } from '../publishing/publisher.ts';
import type { RelayConnection } from './database.ts';
import { OutboxRelay } from './relay.ts';

const { signal } = new AbortController();

/** A relay to a Kafka that takes batches, or does not, as the test says. */
function relayTo(
  append: (batch: RecordBatch) => Error | undefined,
  connect: () => RelayConnection | Promise<RelayConnection>,
) {
  const appender = {
    append: async (batches: readonly RecordBatch[]) =>
      batches.map((batch) => {
        const error = append(batch);
        return error ? { error } : { offset: 0n };
      }),
    close: async () => {},
  };
  const layout = { of: async () => [1], known: () => [1], renew: () => {} } as unknown as Layout;
  const driver = { appender: async () => appender } as unknown as Driver;
  const publisher = new Publisher(driver, layout, { maxBufferedBytes: 1_000_000, batchBytes: 150, linger: 0 });
  const connection = { open: async () => ({ publisher, layout }) } as unknown as Connection;
  return new OutboxRelay(connection, 'outbox', { connect, every: 1 });
}

/** The table, with so many messages of one key. */
function table(count: number): {
  readonly rows: { readonly seq: string; partition: number | null; refused?: unknown }[];
  readonly connection: RelayConnection;
} {
  const rows = Array.from({ length: count }, (_, index): ReturnType<typeof table>['rows'][0] => {
    const value = Buffer.from(`${index}`.padStart(50));
    const rest = { topic: 'rides', key: Buffer.from('a'), value, headers: [], at: '1' };
    return { seq: String(index), partition: null, ...rest };
  });
  const query = async (text: string, values: unknown[] = []): Promise<{ rows: unknown[] }> => {
    if (text.includes('try_advisory_lock')) return { rows: [{ locked: true }] };
    if (text.startsWith('UPDATE')) {
      const [seq, why] = values;
      for (const row of rows) if (row.seq === seq) row.refused = why;
      return { rows: [] };
    }
    const [first] = values as [string[]];
    if (text.startsWith('SELECT'))
      return { rows: first.includes('rides') ? [] : rows.filter(({ refused }) => refused === undefined) };
    for (const seq of first)
      rows.splice(
        rows.findIndex((row) => row.seq === seq),
        1,
      );
    return { rows: [] };
  };
  return { rows, connection: { query } };
}

test('when Kafka does not take a batch, those behind it are not sent before it', async () => {
  const { rows, connection } = table(10);
  const taken: number[] = [];
  let refusals = 2;
  const append = ({ records }: RecordBatch): Error | undefined => {
    refusals -= 1;
    if (refusals >= 0) return new KafkaUnreachableError('publish');
    taken.push(...records.map(({ value }) => Number(value)));
    return undefined;
  };
  await using relay = relayTo(append, () => connection);
  await relay.start(signal);
  await eventually('all are published', () => rows.length === 0);
  expect(taken).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('what is for a partition that is not there is refused, and the others go on', async () => {
  const { rows, connection } = table(10);
  for (const row of rows.slice(0, 5)) row.partition = 7;
  const append = ({ partition }: RecordBatch): Error | undefined =>
    partition === 7 ? new RefusedError('publish', 'UNKNOWN_TOPIC_OR_PARTITION') : undefined;
  await using relay = relayTo(append, () => connection);
  await relay.start(signal);
  await eventually('all are done with', () => relay.stats().published + relay.stats().refused === 10);
  const refused = Array.from({ length: 5 }, () => expect.stringContaining('UNKNOWN_TOPIC_OR_PARTITION'));
  expect(rows.map((row) => row.refused)).toEqual(refused);
});

test('health says which messages Kafka does not take', async () => {
  let down = true;
  const { connection } = table(1);
  await using relay = relayTo(
    () => (down ? new KafkaUnreachableError('publish') : undefined),
    () => connection,
  );
  await relay.start(signal);
  await eventually('it says so', () => relay.health().status === 'warn');
  await eventually(
    'it says what',
    () => relay.health().detail?.startsWith('messages for "rides" wait: publish') === true,
  );
  down = false;
  await eventually('all is well', () => relay.health().status === 'pass');
});

test('as long as another relay has the lock, nothing is published, which health says', async () => {
  const { rows, connection } = table(3);
  let isHeld = true;
  let asked = 0;
  const query = async (text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }> => {
    if (!text.includes('try_advisory_lock')) return await connection.query(text, values);
    asked += 1;
    return { rows: [{ locked: !isHeld }] };
  };
  await using relay = relayTo(
    () => undefined,
    () => ({ query }),
  );
  await relay.start(signal);
  await eventually('it has asked several times', () => asked > 3);
  expect([rows.length, relay.health()]).toEqual([3, { status: 'pass', detail: 'another relay is at work' }]);
  isHeld = false;
  await eventually('all are published', () => rows.length === 0);
});

describe('a database that does not answer', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const never = new Promise<never>(() => {});
  const table: [string, () => RelayConnection | Promise<RelayConnection>][] = [
    ['is not connected to', () => never],
    ['is not asked twice', () => ({ query: () => never, end: () => never })],
  ];

  test.each(table)('%s, which health says; a relay that is stopped does not wait for it', async (_, connect) => {
    const relay = relayTo(() => undefined, connect);
    await relay.start(signal);
    await vi.advanceTimersByTimeAsync(100);
    expect(relay.health()).toEqual({ status: 'warn', detail: 'waits for the database' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(relay.health()).toEqual({ status: 'fail', detail: 'outbox outbox: the database has not answered for 60 s' });
    const stopping = relay.stop().then(() => 'stopped');
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await Promise.race([stopping, Promise.resolve('waits')])).toBe('stopped');
  });

  test('when it answers at last, the connection is closed', async () => {
    const late = Promise.withResolvers<RelayConnection>();
    const relay = relayTo(
      () => undefined,
      () => late.promise,
    );
    await relay.start(signal);
    const stopping = relay.stop();
    await vi.advanceTimersByTimeAsync(30_000);
    await stopping;
    const ended = Promise.withResolvers<void>();
    late.resolve({ query: () => never, end: async () => ended.resolve() });
    await ended.promise;
  });
});

/** As a client of `pg` is: it emits an error when its connection ends, and every query after it fails. */
class Client extends EventEmitter {
  ended = false;

  async query(text: string): Promise<{ readonly rows: readonly unknown[] }> {
    if (this.ended) throw new Error('Client has encountered a connection error and is not queryable');
    this.emit('query', text);
    return { rows: text.includes('lock') ? [{ locked: true }] : [] };
  }

  lose(): void {
    this.ended = true;
    this.emit('error', new Error('terminating connection due to administrator command'));
  }
}

test('a connection that ends while nothing is asked of it does not end the process: there is another one', async () => {
  const clients: Client[] = [];
  const connected = new EventEmitter();
  const connect = (): Client => {
    const client = new Client();
    clients.push(client);
    client.once('query', () => connected.emit('at work'));
    return client;
  };
  const connection = { open: async () => ({}) } as unknown as Connection;
  await using relay = new OutboxRelay(connection, 'outbox', { connect, every: 1 });
  const first = once(connected, 'at work');
  await relay.start(new AbortController().signal);
  await first;
  const second = once(connected, 'at work');
  clients[0]?.lose();
  await second;
  expect(clients).toHaveLength(2);
});
