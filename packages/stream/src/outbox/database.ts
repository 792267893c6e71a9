/** What is needed of PostgreSQL: a client of `pg` has it, one of its pools, and PGlite. */
export interface Queryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** A connection of the relay's own: what it locks is locked by this connection. */
export interface RelayConnection extends Queryable {
  /** A client of `pg` tells so that its connection has ended; an event that nobody listens to ends the process. */
  on?(event: 'error', listener: (error: Error) => void): unknown;
  /** Called when the relay is done with it. */
  end?(): Promise<void>;
}
