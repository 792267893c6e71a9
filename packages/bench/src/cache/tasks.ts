/** What a peer is asked to do: a line of JSON on its standard input. */
export type Task =
  /** Hits of one entry of 1 KB in the process's own memory, one after the other. */
  | { readonly task: 'localHit'; readonly count: number; readonly tagged: boolean }
  /** Hits in Redis of a thousand entries of 1 KB, so many callers at a time; nothing is kept in the process. */
  | { readonly task: 'redisHit'; readonly count: number; readonly callers: number }
  /** Keys that nobody has, loaded from an origin that answers at once. */
  | { readonly task: 'getOrLoad'; readonly count: number; readonly callers: number }
  /** So many callers at once for one key that takes 50 ms to load, in each of several processes. */
  | {
      readonly task: 'stampede';
      readonly key: string;
      readonly callers: number;
      readonly ttl: number;
      readonly stale: boolean;
    }
  /** Fills so many entries with one tag, and forgets them all by it. */
  | { readonly task: 'invalidate'; readonly keys: number }
  /** What an entry of 1 KB takes in the process's memory. */
  | { readonly task: 'memory'; readonly count: number };

/** What it answers: a line of JSON. A task that this peer has no way to do is answered with nothing. */
export interface Answer {
  readonly seconds?: number;
  /** Of one call, in microseconds. */
  readonly p50?: number;
  readonly p99?: number;
  readonly most?: number;
  readonly cpuMicroseconds?: number;
  readonly bytes?: number;
  /** How often this process has called the origin. */
  readonly loads?: number;
  /** How many of its callers got an error. */
  readonly errors?: number;
  /** The different values that its callers got. */
  readonly values?: readonly string[];
}
