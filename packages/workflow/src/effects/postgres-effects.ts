import { checkNames, type Duration, duration, InvalidArgumentError, QuorateError } from '@quorate/core';
import { FencedError } from '../errors/fenced-error.ts';
import { RevokedError } from '../errors/revoked-error.ts';
import {
  alone,
  checkUndo,
  type EffectState,
  type Effects,
  type Fence,
  given,
  kept,
  type OnceOptions,
  type OnceSettings,
  type UndoOptions,
} from './effects.ts';
import { inTransaction, type PostgresConnection, type Queryable } from './postgres-connection.ts';

export interface PostgresEffectsOptions {
  /** Default `quorate_effects`; that of the fences has `_fences` behind it. */
  readonly table?: string;
}

interface Row {
  readonly state: EffectState;
  readonly result: string | null;
}

/**
 * Effects in PostgreSQL, or PGlite.
 *
 *     const effects = new PostgresEffects(pool);
 *     await effects.create();
 */
export class PostgresEffects implements Effects<Queryable> {
  readonly #connection: PostgresConnection;
  readonly #table: string;

  constructor(connection: PostgresConnection, options: PostgresEffectsOptions = {}) {
    checkNames('options', options, ['table']);
    const { table = 'quorate_effects' } = options;
    // It is part of the statements.
    if (typeof table !== 'string' || !/^[a-z_]\w{0,40}(?:\.[a-z_]\w{0,40})?$/i.test(table))
      throw new InvalidArgumentError('table', 'a name of letters, digits and underscores', table);
    const { connect, transaction } = (connection ?? {}) as { connect?: unknown; transaction?: unknown };
    if (typeof connect !== 'function' && typeof transaction !== 'function')
      throw new InvalidArgumentError('connection', 'a pool of pg, or PGlite');
    this.#connection = connection;
    this.#table = table;
  }

  /** Makes the tables, if they are not there. Several may do so at a time. */
  async create(): Promise<void> {
    await inTransaction(this.#connection, async (transaction) => {
      await transaction.query('SELECT pg_advisory_xact_lock(hashtext($1))', [this.#table]);
      await transaction.query(
        `CREATE TABLE IF NOT EXISTS ${this.#table} (
          key text PRIMARY KEY,
          state text NOT NULL,
          result text,
          at timestamptz NOT NULL DEFAULT now()
        )`,
      );
      await transaction.query(
        `CREATE TABLE IF NOT EXISTS ${this.#table}_fences (name text PRIMARY KEY, token bigint NOT NULL)`,
      );
    });
  }

  async once<Result>(
    effect: (transaction: Queryable) => Result | Promise<Result>,
    options: OnceOptions = {},
  ): Promise<Result> {
    return await alone(this, options, (settings) => this.#once(effect, settings));
  }

  async #once<Result>(
    effect: (transaction: Queryable) => Result | Promise<Result>,
    { key, fence }: OnceSettings,
  ): Promise<Result> {
    return (await inTransaction(this.#connection, async (transaction) => {
      if (fence) await this.#raise(transaction, fence);
      // Another attempt with this key that is under way is waited for here.
      const before = await this.#enter(transaction, key, 'done');
      if (before?.state === 'done') return given(before.result);
      if (before !== undefined) throw new RevokedError(key);
      const text = kept(await effect(transaction));
      const { rows } = await transaction.query(`UPDATE ${this.#table} SET result = $2 WHERE key = $1 RETURNING key`, [
        key,
        text,
      ]);
      if (rows.length === 0)
        throw new QuorateError(
          'the effect has ended its transaction by itself: what it did is not kept, or not known',
          {
            code: 'transaction-ended',
          },
        );
      return given(text);
    })) as Result;
  }

  async undo<Result>(
    compensation: (transaction: Queryable, result: Result) => unknown,
    options: UndoOptions = {},
  ): Promise<number> {
    let count = 0;
    for (const key of checkUndo(options)) {
      await inTransaction(this.#connection, async (transaction) => {
        const before = await this.#enter(transaction, key, 'revoked');
        if (before?.state !== 'done') return;
        await compensation(transaction, given(before.result) as Result);
        await transaction.query(`UPDATE ${this.#table} SET state = 'undone' WHERE key = $1`, [key]);
        count += 1;
      });
    }
    return count;
  }

  async forget(olderThan: Duration): Promise<number> {
    const ms = duration(olderThan, { name: 'olderThan' });
    return await inTransaction(this.#connection, async (transaction) => {
      const { rows } = await transaction.query(
        `DELETE FROM ${this.#table} WHERE at < now() - $1 * interval '1 millisecond' RETURNING key`,
        [ms],
      );
      return rows.length;
    });
  }

  /** Puts the key there in this state; or gives what is there, locked until the transaction ends. */
  async #enter(transaction: Queryable, key: string, state: Row['state']): Promise<Row | undefined> {
    for (;;) {
      const { rows: entered } = await transaction.query(
        `INSERT INTO ${this.#table} (key, state) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING key`,
        [key, state],
      );
      if (entered.length > 0) return undefined;
      const { rows } = await transaction.query(`SELECT state, result FROM ${this.#table} WHERE key = $1 FOR UPDATE`, [
        key,
      ]);
      // None when it was forgotten in between.
      if (rows.length > 0) return rows[0] as Row;
    }
  }

  /** Before anything is read: a reader with an older token must not get what it would then write over. */
  async #raise(transaction: Queryable, { name, token }: Fence): Promise<void> {
    const { rows } = await transaction.query(
      `INSERT INTO ${this.#table}_fences AS known (name, token) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET token = EXCLUDED.token WHERE known.token <= EXCLUDED.token RETURNING token`,
      [name, String(token)],
    );
    if (rows.length === 0) throw new FencedError(name, token);
  }
}
