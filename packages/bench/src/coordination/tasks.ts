/** What a peer is asked to do: a line of JSON on its standard input. */
export type Task =
  /** Opens so many sessions, in place of those it has. */
  | { readonly task: 'open'; readonly sessions: number; readonly timeout: number }
  /** Writes a node again and again over one session: what a round trip takes that changes something. */
  | { readonly task: 'trips'; readonly count: number }
  /** Acquires a lock and releases it, over one session. */
  | { readonly task: 'cycles'; readonly path: string; readonly count: number }
  /** The same from every session at once, until the lock has been held so often. */
  | { readonly task: 'contend'; readonly path: string; readonly count: number }
  /** So many candidates, over all sessions in turn. Answers when all stand and one leads. */
  | { readonly task: 'stand'; readonly path: string; readonly candidates: number }
  /** So often, whoever leads resigns and stands again. */
  | { readonly task: 'resign'; readonly count: number }
  /** All who stand withdraw, and the leader resigns. */
  | { readonly task: 'withdraw' }
  /** Answers when it leads, with the time. */
  | { readonly task: 'campaign'; readonly path: string }
  /** Answers when it knows that it does not lead any more, with the time. */
  | { readonly task: 'deposed' };

/** What it answers: a line of JSON. Of times that are taken often it gives quantiles, in microseconds. */
export interface Answer {
  readonly seconds?: number;
  readonly p50?: number;
  readonly p99?: number;
  /** How often it was held. */
  readonly held?: number;
  /** How often it was held before another holder knew that it held it no longer. */
  readonly overlaps?: number;
  /** When, on the machine's monotonic clock, in milliseconds. */
  readonly at?: number;
}
