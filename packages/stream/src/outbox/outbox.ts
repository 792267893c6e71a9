import { checkNames, InvalidArgumentError } from '@quorate/core';
import type { Connection } from '../connection.ts';
import type { KafkaHeaders } from '../driver/record.ts';
import type { NewMessage } from '../topic/message.ts';
import type { Encodable } from '../topic/prepared.ts';
import { traced } from '../topic/traced.ts';
import type { Queryable } from './database.ts';
import { OutboxRelay, type RelayOptions } from './relay.ts';

export interface OutboxOptions {
  /** Default `quorate_outbox`. */
  readonly table?: string;
}

/**
 * Messages that are published if, and only if, a transaction of PostgreSQL is committed. They are put in a table by that transaction, and a relay publishes what it finds there.
 *
 *     await outbox.create(client);
 *     await client.query('BEGIN');
 *     await client.query('INSERT INTO rides …');
 *     await outbox.add(client, rides, { key: ride.cab, value: ride });
 *     await client.query('COMMIT');
 *
 * Each is published at least once, with the same id: consumers can leave out what comes twice. Those of one key keep the order in which they were added, by transactions that did not overlap.
 */
export class Outbox {
  readonly #connection: Connection;
  readonly #table: string;

  constructor(connection: Connection, options: OutboxOptions = {}) {
    checkNames('options', options, ['table']);
    const { table = 'quorate_outbox' } = options;
    // It is part of the statements.
    if (typeof table !== 'string' || !/^[a-z_]\w{0,50}(?:\.[a-z_]\w{0,50})?$/i.test(table))
      throw new InvalidArgumentError('table', 'a name of letters, digits and underscores', table);
    this.#connection = connection;
    this.#table = table;
  }

  /** Makes the table, if it is not there. */
  async create(database: Queryable): Promise<void> {
    await database.query(
      `CREATE TABLE IF NOT EXISTS ${this.#table} (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL,
        partition integer,
        key bytea,
        value bytea,
        headers jsonb NOT NULL,
        at bigint NOT NULL,
        refused text
      )`,
    );
  }

  /** Adds a message to the transaction. It is checked as by `publish`; Kafka is not asked. */
  async add<Input>(
    transaction: Queryable,
    topic: Encodable<Input>,
    message: NewMessage<Input>,
  ): Promise<{ readonly id: string }> {
    const { id, record, partition } = topic.encode(message);
    const { tracing } = this.#connection.settings;
    await traced<unknown>(tracing?.create, { topic: topic.name, id }, record, ({ key, value, headers, timestamp }) =>
      transaction.query(
        `INSERT INTO ${this.#table} (topic, partition, key, value, headers, at) VALUES ($1, $2, $3, $4, $5, $6)`,
        [topic.name, partition ?? null, key, value, textOf(headers), timestamp],
      ),
    );
    return { id };
  }

  /** Publishes what is added, until it is stopped: one relay at a time, however many there are. */
  relay(options: RelayOptions): OutboxRelay {
    const relay = new OutboxRelay(this.#connection, this.#table, options);
    this.#connection.add(relay);
    return relay;
  }
}

function textOf(headers: KafkaHeaders): string {
  return JSON.stringify(headers.map(([name, value]) => [name, value.toString('base64')]));
}
