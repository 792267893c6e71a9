/** What a peer is asked to do: a line of JSON on its standard input. */
export type Task =
  /** So many callers each start a workflow of so many steps and wait for it, one after the other, until `count` are done. */
  | { readonly task: 'flow'; readonly callers: number; readonly steps: number; readonly count: number }
  /** A worker more is started, from a bundle, at a queue of its own: until a workflow of one step is done by it. */
  | { readonly task: 'worker' }
  /** Begins a workflow that goes on for long, one step after the other; each is noted by the time at which it was done. */
  | { readonly task: 'begin'; readonly id: string }
  /** Waits for the first step of it that is done here, and tells when that was. */
  | { readonly task: 'next' };

/** What it answers: a line of JSON. */
export interface Answer {
  readonly seconds?: number;
  /** From the start of a workflow to its result, in milliseconds. */
  readonly p50?: number;
  readonly p99?: number;
  /** From the call that starts a workflow to its first activity, in milliseconds. */
  readonly first?: number;
  readonly cpuMicroseconds?: number;
  readonly megabytes?: number;
  /** By `Date.now`. */
  readonly at?: number;
}
