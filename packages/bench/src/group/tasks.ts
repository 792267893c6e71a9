/** What a peer is asked to do: a line of JSON on its standard input. */
export type Task =
  /** Opens sessions and has so many members join, over all sessions in turn and a hundred at a time. */
  | { readonly task: 'join'; readonly path: string; readonly members: number; readonly sessions: number }
  /** Ends the sessions, and the memberships with them. */
  | { readonly task: 'leave' }
  /** Watches the group, and answers when it knows all members with their data. */
  | { readonly task: 'watch'; readonly path: string; readonly members: number }
  /** So often, another session joins and leaves: how long until the watcher knows the newcomer. */
  | { readonly task: 'hear'; readonly path: string; readonly count: number };

/** What it answers: a line of JSON. */
export interface Answer {
  readonly seconds?: number;
  /** In microseconds. */
  readonly p50?: number;
  readonly p99?: number;
  /** What the watcher has added to the live heap; of kazoo, whose heap does not tell, to the resident set. */
  readonly bytes?: number;
}
