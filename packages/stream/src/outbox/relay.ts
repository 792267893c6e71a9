import {
  type Component,
  checkNames,
  type Duration,
  duration,
  type Health,
  InvalidArgumentError,
  sleep,
} from '@quorate/core';
import type { Connection, Opened } from '../connection.ts';
import { messageOf } from '../errors/text-of.ts';
import { Answers, patience } from './answers.ts';
import type { RelayConnection } from './database.ts';
import { type Row, Shipment } from './shipment.ts';

export interface RelayOptions {
  /** Opens a connection of the relay's own. Called again when the last one has failed. */
  readonly connect: () => RelayConnection | Promise<RelayConnection>;
  /** How often it looks for messages when there were none. Default 500 ms. */
  readonly every?: Duration;
}

/** So many rows are on their way at a time. */
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
  readonly #answers = new Answers(this.#over.signal);
  readonly #counts = { published: 0, refused: 0 };
  #running: Promise<void> | undefined;
  #trouble: string | undefined;
  /** Of which topics messages wait, and why. */
  #stuck: ReadonlyMap<string, unknown> = new Map();
  /** Undefined while the database has not said so. */
  #hasLock: boolean | undefined;

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

  /** What is on its way is finished. Does not wait long for a database that does not answer: then some of it is published again. Idempotent. */
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
    const { silence } = this.#answers;
    if (silence > patience) {
      const detail = `${this.name}: the database has not answered for ${Math.round(silence / 1_000)} s`;
      return { status: 'fail', detail };
    }
    if (this.#trouble !== undefined) return { status: 'fail', detail: this.#trouble };
    if (this.#hasLock === undefined) return { status: 'warn', detail: 'waits for the database' };
    for (const [topic, error] of this.#stuck)
      return { status: 'warn', detail: `messages for "${topic}" wait: ${messageOf(error)}` };
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
      const connecting = (async () => this.#options.connect())();
      try {
        const connection = await this.#answers.of(connecting);
        // What it is told by then the next query says too.
        connection.on?.('error', () => {});
        await this.#relay(opened, connection);
      } catch (error) {
        // Not its cause: a client's error may show what it was asked.
        this.#trouble = `${this.name}: ${messageOf(error)}`;
      }
      this.#hasLock = undefined;
      await end(connecting);
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
    const rows = await this.#ask(connection, text, [`quorate outbox ${this.#table}`]);
    return (rows[0] as { readonly locked?: unknown } | undefined)?.locked === true;
  }

  /** How many were published. Topics that take nothing now are left for later, so that they do not stand in the way of others. */
  async #round(opened: Opened, connection: RelayConnection): Promise<number> {
    const stuck = new Map<string, unknown>();
    let done = 0;
    while (!this.#over.signal.aborted) {
      const rows = await this.#ask(
        connection,
        // By the number, not by the text of it that is given.
        `SELECT row.seq::text, topic, partition, key, value, headers, at::text FROM ${this.#table} AS row
         WHERE refused IS NULL AND topic <> ALL($1) ORDER BY row.seq LIMIT ${together}`,
        [[...stuck.keys()]],
      );
      if (rows.length === 0 || this.#over.signal.aborted) break;
      const shipments = await shipped(opened, rows as readonly Row[]);
      const published = shipments.flatMap((shipment) => shipment.published);
      await this.#delete(connection, published);
      done += published.length;
      for (const { topic, refused, trouble } of shipments) {
        for (const { row, error } of refused) await this.#refuse(connection, row, error);
        if (trouble !== undefined) stuck.set(topic, trouble);
      }
    }
    this.#stuck = stuck;
    return done;
  }

  async #delete(connection: RelayConnection, rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const numbers = rows.map(({ seq }) => seq);
    await this.#ask(connection, `DELETE FROM ${this.#table} WHERE seq = ANY($1::bigint[])`, [numbers]);
    this.#counts.published += rows.length;
  }

  async #refuse(connection: RelayConnection, { seq }: Row, error: unknown): Promise<void> {
    const why = messageOf(error);
    await this.#ask(connection, `UPDATE ${this.#table} SET refused = $2 WHERE seq = $1::bigint`, [seq, why]);
    this.#counts.refused += 1;
  }

  async #ask(connection: RelayConnection, text: string, values: unknown[]): Promise<readonly unknown[]> {
    const { rows } = await this.#answers.of(connection.query(text, values));
    return rows;
  }
}

/** Also a connection that comes too late. */
async function end(connecting: Promise<RelayConnection>): Promise<void> {
  const ended = new AbortController();
  connecting
    .then((connection) => connection.end?.())
    .catch(() => {})
    .finally(() => ended.abort());
  await sleep(patience, { signal: ended.signal }).catch(() => {});
}

/** When something has become of each. */
function shipped(opened: Opened, rows: readonly Row[]): Promise<readonly Shipment[]> {
  const topics = Map.groupBy(rows, ({ topic }) => topic);
  return Promise.all(
    [...topics].map(async ([topic, theirs]) => {
      const shipment = new Shipment(topic);
      await shipment.send(opened, theirs);
      return shipment;
    }),
  );
}
