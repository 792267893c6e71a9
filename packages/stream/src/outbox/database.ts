/** What is needed of PostgreSQL: a client of `pg` has it, one of its pools, and PGlite. */
export interface Queryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** A connection of the relay's own: what it locks is locked by this connection. */
export interface RelayConnection extends Queryable {
  /** Called when the relay is done with it. */
  end?(): Promise<void>;
}
