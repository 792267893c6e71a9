import {
  type Component,
  checkNames,
  type Duration,
  duration,
  type Health,
  InvalidArgumentError,
  isQuorateError,
  sleep,
} from '@quorate/core';
import type { Connection, Opened } from '../connection.ts';
import type { KafkaRecord } from '../driver/record.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import type { RelayConnection } from './database.ts';

export interface RelayOptions {
  /** Opens a connection of the relay's own. Called again when the last one has failed. */
  readonly connect: () => RelayConnection | Promise<RelayConnection>;
  /** How often it looks for messages when there were none. Default 500 ms. */
  readonly every?: Duration;
}

interface Row {
  readonly seq: string;
  readonly topic: string;
  readonly partition: number | null;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [string, string])[];
  readonly at: string;
}

/** So many rows are on their way at a time: of a partition they are one batch, which is written as a whole or not. */
const together = 200;
/** A message that cannot be published now is tried again after this, in milliseconds. */
const pause = 1_000;

/** Publishes the rows of an outbox in their order, and deletes them when Kafka has them. Made by `outbox.relay`. */
export class OutboxRelay implements Component, AsyncDisposable {
  readonly name: string;
  readonly #connection: Connection;
  readonly #table: string;
  readonly #options: { readonly connect: RelayOptions['connect']; readonly every: number };
  readonly #over = new AbortController();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #counts = { published: 0, refused: 0 };
  #running: Promise<void> | undefined;
  #trouble: string | undefined;
  #hasLock = false;

  constructor(connection: Connection, table: string, options: RelayOptions) {
    checkNames('options', options, ['connect', 'every']);
    const { connect, every = 500 } = options;
    if (typeof connect !== 'function')
      throw new InvalidArgumentError('connect', 'a function that opens a connection', connect);
    this.name = `outbox ${table}`;
    this.#connection = connection;
    this.#table = table;
    this.#options = { connect, every: duration(every, { name: 'every', least: 1 }) };
  }

  /** Resolves when it has begun; it may be that another relay is at work. */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const opened = await this.#connection.open();
    this.#running ??= this.#run(opened);
  }

  /** What is on its way is finished. Idempotent. */
  async stop(): Promise<void> {
    this.#over.abort(new Error('the relay is stopped'));
    await this.#running;
    this.#stopped.resolve();
  }

  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  stats(): { readonly published: number; readonly refused: number } {
    return { ...this.#counts };
  }

  health(): Health {
    if (this.#over.signal.aborted || !this.#running) return { status: 'fail', detail: `${this.name} is not running` };
    if (this.#trouble !== undefined) return { status: 'fail', detail: this.#trouble };
    if (this.#counts.refused > 0)
      return {
        status: 'warn',
        detail: `${this.#counts.refused} messages can never be published: see the column "refused"`,
      };
    return { status: 'pass', detail: this.#hasLock ? 'at work' : 'another relay is at work' };
  }

  async #run(opened: Opened): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      let connection: RelayConnection | undefined;
      try {
        connection = await this.#options.connect();
        // What it is told by then the next query says too.
        connection.on?.('error', () => {});
        await this.#relay(opened, connection);
      } catch (error) {
        // Not its cause: a client's error may show what it was asked.
        this.#trouble = `${this.name}: ${error instanceof Error ? error.message : String(error)}`;
      }
      this.#hasLock = false;
      await connection?.end?.().catch(() => {});
      await sleep(pause, { signal }).catch(() => {});
    }
  }

  /** Until it is stopped, or the connection fails. */
  async #relay(opened: Opened, connection: RelayConnection): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      this.#hasLock ||= await this.#lock(connection);
      const done = this.#hasLock ? await this.#round(opened, connection) : 0;
      this.#trouble = undefined;
      if (done === 0) await sleep(this.#options.every, { signal }).catch(() => {});
    }
  }

  /** It belongs to the connection, and is gone with it. */
  async #lock(connection: RelayConnection): Promise<boolean> {
    const text = 'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked';
    const { rows } = await connection.query(text, [`quorate outbox ${this.#table}`]);
    return (rows[0] as { readonly locked?: unknown } | undefined)?.locked === true;
  }

  /** How many were published. Topics that take nothing now are left for later, so that they do not stand in the way of others. */
  async #round(opened: Opened, connection: RelayConnection): Promise<number> {
    const stuck = new Set<string>();
    let done = 0;
    for (;;) {
      const { rows } = await connection.query(
        // By the number, not by the text of it that is given.
        `SELECT row.seq::text, topic, partition, key, value, headers, at::text FROM ${this.#table} AS row
         WHERE refused IS NULL AND topic <> ALL($1) ORDER BY row.seq LIMIT ${together}`,
        [[...stuck]],
      );
      if (rows.length === 0 || this.#over.signal.aborted) return done;
      const results = await Promise.all((rows as readonly Row[]).map((row) => this.#publish(opened, row)));
      const published = results.filter(({ error }) => error === undefined).map(({ seq }) => seq);
      await connection.query(`DELETE FROM ${this.#table} WHERE seq = ANY($1::bigint[])`, [published]);
      done += published.length;
      this.#counts.published += published.length;
      for (const { seq, topic, error } of results) {
        if (error === undefined) continue;
        if (isNever(error)) await this.#refuse(connection, seq, error);
        else stuck.add(topic);
      }
    }
  }

  async #publish(
    { publisher, layout }: Opened,
    { seq, topic, partition, key, value, headers, at }: Row,
  ): Promise<{ readonly seq: string; readonly topic: string; readonly error?: unknown }> {
    try {
      const { length } = await layout.of(topic);
      const record: KafkaRecord = {
        key: key === null ? null : Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        headers: headers.map(([name, text]) => [name, Buffer.from(text, 'base64')]),
        timestamp: Number(at),
      };
      const to =
        partition ?? (record.key === null ? Number(BigInt(seq) % BigInt(length)) : partitionOf(record.key, length));
      await publisher.publish(topic, to, record);
      return { seq, topic };
    } catch (error) {
      return { seq, topic, error };
    }
  }

  async #refuse(connection: RelayConnection, seq: string, error: unknown): Promise<void> {
    const why = error instanceof Error ? error.message : String(error);
    await connection.query(`UPDATE ${this.#table} SET refused = $2 WHERE seq = $1::bigint`, [seq, why]);
    this.#counts.refused += 1;
  }
}

/** However often it is tried. A topic that is not there can still be made. */
function isNever(error: unknown): boolean {
  return isQuorateError(error, 'message-too-large');
}
