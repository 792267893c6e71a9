/** What is needed of a transaction: a client of `pg` has it, and what PGlite gives to `transaction`. */
export interface Queryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** A client of a pool, as `pg` has it. */
interface PooledClient extends Queryable {
  release(error?: Error | boolean): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
}

/** A pool of `pg`, or PGlite. */
export type PostgresConnection =
  | { connect(): Promise<PooledClient> }
  | { transaction<Result>(work: (transaction: Queryable) => Promise<Result>): Promise<Result> };

/** Commits when `work` is done; when it fails, nothing of it happened. */
export async function inTransaction<Result>(
  connection: PostgresConnection,
  work: (transaction: Queryable) => Promise<Result>,
): Promise<Result> {
  if ('transaction' in connection) return await connection.transaction(work);
  const client = await connection.connect();
  // Without a listener the end of a connection would end the process. What is asked next fails by itself.
  const ended = (): void => {};
  client.on('error', ended);
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // Whether it is open or not: a connection in doubt must not go back to the pool.
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.off('error', ended);
    client.release(broken);
  }
}
