/** What a peer is asked to do: a line of JSON on its standard input. */
export type Task =
  /** Reads or writes of one node of 100 bytes, always so many of them without an answer. */
  | { readonly task: 'get' | 'set'; readonly count: number; readonly inFlight: number }
  /** Creates a node and deletes it, one after the other. */
  | { readonly task: 'createDelete'; readonly count: number }
  /** Watches so many nodes, has another session change them all, and waits for every event. */
  | { readonly task: 'watches'; readonly count: number }
  /** Watches so many nodes, or opens so many sessions, and says what that has cost. */
  | { readonly task: 'watchMemory' | 'sessionMemory'; readonly count: number };

/** What it answers: a line of JSON. */
export interface Answer {
  /** From the first request to the last answer or event. */
  readonly seconds?: number;
  /** Of one request, in microseconds. */
  readonly p50?: number;
  readonly p99?: number;
  /** What the peer's process has used of the processor, user and system. */
  readonly cpuMicroseconds?: number;
  /** What each has added to the live heap; of kazoo, whose heap does not tell, to the resident set. */
  readonly bytes?: number;
}
