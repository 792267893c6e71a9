/** What a peer is asked to do: a line of JSON on its standard input. */
export type Task =
  /** So many callers publish, each with so many messages of 200 bytes in a call, until `count` have been acknowledged by all replicas in sync. */
  | {
      readonly task: 'publish';
      readonly topic: string;
      readonly callers: number;
      readonly batch: number;
      readonly count: number;
    }
  /** Handles what is there already, from the first message on: each is parsed. */
  | { readonly task: 'consume'; readonly topic: string; readonly count: number }
  /** Publishes at a steady pace, whether it is fast enough or not, and handles what it has published. */
  | { readonly task: 'endToEnd'; readonly topic: string; readonly perSecond: number; readonly seconds: number }
  /** So many callers ask, each one after the other. Both sides are in the same process. */
  | { readonly task: 'ask'; readonly topic: string; readonly callers: number; readonly count: number }
  /** A handler that takes 5 ms, one at a time, before a topic that is full: what the process grows by in 5 s. */
  | { readonly task: 'slow'; readonly topic: string };

/** What it answers: a line of JSON. */
export interface Answer {
  readonly seconds?: number;
  /** In milliseconds. */
  readonly p50?: number;
  readonly p99?: number;
  readonly cpuMicroseconds?: number;
  readonly megabytes?: number;
}
