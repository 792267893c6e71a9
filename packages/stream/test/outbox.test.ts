import { randomBytes } from 'node:crypto';
import { PGlite } from '@electric-sql/pglite';
import { eventually, Testbed } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { Queryable } from '../src/index.ts';
import { bench, Ledger } from './fixture.ts';

describe('with PostgreSQL', () => {
  let bed: Testbed & { readonly postgres: { readonly url: string } };
  beforeAll(async () => {
    bed = await Testbed.start({ postgres: true });
  });
  afterAll(() => bed?.stop());

  const connect = async (): Promise<Client> => {
    const client = new Client({ connectionString: bed.postgres.url });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const tableName = (): string => `outbox_${randomBytes(4).toString('hex')}`;
  const countOf = async (client: Queryable, table: string): Promise<number> => {
    const { rows } = await client.query(`SELECT count(*)::int AS count FROM ${table}`);
    return (rows[0] as { readonly count: number }).count;
  };

  test('what was committed is published in order, what was rolled back is not', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA);
    const stream = place.stream();
    const rides = place.open(stream);
    const table = tableName();
    const outbox = stream.outbox({ table });
    const client = await connect();
    await outbox.create(client);
    await outbox.create(client);
    const ids: string[] = [];
    for (let round = 0; round < 30; round += 1) {
      await client.query('BEGIN');
      for (let part = 0; part < 10; part += 1) {
        const { id } = await outbox.add(client, rides, {
          key: `key-${part}`,
          value: round * 10 + part,
          headers: { tenant: 'a' },
        });
        ids[round * 10 + part] = id;
      }
      await client.query(round % 3 === 2 ? 'ROLLBACK' : 'COMMIT');
    }
    const ledger = new Ledger();
    const heard = new Map<number, string | undefined>();
    await using _consumer = await rides.consume({
      group: 'reader',
      handler: (message) => {
        heard.set(Number(message.value), message.id);
        ledger.note(message);
      },
    });
    await using relay = outbox.relay({ connect, every: 20 });
    await relay.start(new AbortController().signal);
    await ledger.all(200);
    await eventually('nothing is left', async () => (await countOf(client, table)) === 0);
    const expected = Array.from({ length: 300 }, (_, value) => value).filter(
      (value) => Math.floor(value / 10) % 3 !== 2,
    );
    expect([...ledger.values].sort((a, b) => a - b)).toEqual(expected);
    expect(ledger.entries).toHaveLength(200);
    for (const value of expected) expect(heard.get(value)).toBe(ids[value]);
    const perKey = ledger.entries.filter(({ key }) => key === 'key-3').map(({ value }) => value);
    expect(perKey).toEqual(perKey.toSorted((a, b) => a - b));
    // The rows are gone a moment before it counts them.
    await eventually('all are counted', () => relay.stats().published === 200);
    expect(relay.stats()).toEqual({ published: 200, refused: 0 });
    expect(relay.health()).toEqual({ status: 'pass', detail: 'at work' });
    await client.end();
  });

  test('one relay is at work; when its connection is gone another one takes over, and no message is lost', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA);
    const stream = place.stream();
    const rides = place.open(stream);
    const outbox = stream.outbox({ table: tableName() });
    const client = await connect();
    await outbox.create(client);
    const ledger = new Ledger();
    await using _consumer = await rides.consume({ group: 'reader', dedupe: 10_000, handler: ledger.note });
    const clients: Client[] = [];
    const own = async (): Promise<Client> => {
      // Nobody but the relay listens to its errors.
      const made = new Client({ connectionString: bed.postgres.url });
      await made.connect();
      clients.push(made);
      return made;
    };
    await using first = outbox.relay({ connect: own, every: 20 });
    await first.start(new AbortController().signal);
    await eventually('the first is at work', () => first.health().detail === 'at work');
    await using second = outbox.relay({ connect, every: 20 });
    await second.start(new AbortController().signal);
    await eventually('the second waits', () => second.health().detail === 'another relay is at work');
    for (let value = 0; value < 500; value += 1) {
      await outbox.add(client, rides, { key: 'a', value });
      if (value === 250) {
        await client.query('SELECT pg_terminate_backend($1)', [
          (clients[0] as unknown as { processID: number }).processID,
        ]);
      }
    }
    await ledger.all(500);
    expect(ledger.disorder).toEqual([]);
    await eventually('the second is at work', () => second.health().detail === 'at work');
    expect(second.stats().published).toBeGreaterThan(0);
    await client.end();
  });

  test('bad input, and messages that can never be published, stand in nobody’s way', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { partitions: 1 });
    // This stream takes more than the broker does.
    const stream = place.stream({ maxMessageBytes: 4_000_000 });
    const rides = place.open(stream);
    const table = tableName();
    const outbox = stream.outbox({ table });
    expect(() => stream.outbox({ table: 'a; DROP TABLE rides' })).toThrow('table');
    const client = await connect();
    await outbox.create(client);
    await outbox.add(client, stream.topic(`${place.topic}-missing`), { value: 'nowhere' });
    await outbox.add(client, rides, { key: 'a', value: randomBytes(1_500_000).toString('base64') });
    // Kafka refuses them together with the others of their batch.
    const inTenDays = Date.now() + 10 * 86_400_000;
    for (const value of [1, 2, 3, 4, 5])
      await outbox.add(client, rides, { key: 'a', value, ...(value % 2 === 0 && { timestamp: inTenDays }) });
    const ledger = new Ledger();
    await using _consumer = await rides.consume({ group: 'reader', handler: ledger.note });
    await using relay = outbox.relay({ connect, every: 20 });
    await relay.start(new AbortController().signal);
    await ledger.all(3);
    expect(ledger.entries.map(({ value }) => value)).toEqual([1, 3, 5]);
    await eventually('they are refused', () => relay.stats().refused === 3);
    await eventually('health says that one waits', () => relay.health().detail?.includes('-missing" wait: ') === true);
    const { rows } = await client.query(`SELECT topic, refused FROM ${table} ORDER BY seq`);
    const refused = ['of this size', 'INVALID_TIMESTAMP', 'INVALID_TIMESTAMP'];
    expect(rows).toEqual([
      { topic: `${place.topic}-missing`, refused: null },
      ...refused.map((why) => ({ topic: place.topic, refused: expect.stringContaining(why) })),
    ]);
    // It waits until its topic is there.
    await stream.topic(`${place.topic}-missing`).create();
    await eventually('it is published', async () => (await countOf(client, table)) === 3);
    await client.end();
  });
});

test('with PGlite, in the process itself', async ({ servers: { QUORATE_KAFKA } }) => {
  await using place = await bench(QUORATE_KAFKA);
  const stream = place.stream();
  const rides = place.open(stream);
  const outbox = stream.outbox();
  const database = await PGlite.create();
  await outbox.create(database);
  await database.transaction(async (transaction) => {
    for (let value = 0; value < 20; value += 1) await outbox.add(transaction, rides, { key: 'a', value });
  });
  // The first ones stand behind the others now, and would be found last.
  await database.query('UPDATE quorate_outbox SET refused = NULL WHERE seq <= 10');
  const ledger = new Ledger();
  await using _consumer = await rides.consume({ group: 'reader', handler: ledger.note });
  const relay = outbox.relay({ connect: () => ({ query: (text, values) => database.query(text, values) }), every: 20 });
  await relay.start(new AbortController().signal);
  await ledger.all(20);
  expect(ledger.entries.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, (_, value) => value));
  await relay.stop();
  await database.close();
});
