/** What an entry with tags has to remember. Most have none, and memory is what this tier costs. */
export interface Tagging {
  readonly tags: readonly string[];
  /** What the clock of invalidations read before it was loaded. */
  readonly clock: number;
  /** How much had been learnt of that clock when the tags were last compared; see `TagClock.learnt`. */
  checkedAt: number;
}

/** A value in this process. Times are of our monotonic clock, in whole milliseconds: those take no memory of their own. */
export class LocalEntry {
  readonly key: string;
  /** In a namespace: its version. A key of the cache itself may have the same name, and is another. */
  readonly version: string | undefined;
  readonly value: unknown;
  readonly tagging: Tagging | undefined;
  /** Until then it is given out without another thought; afterwards it may be time to refresh it. */
  readonly readyUntil: number;
  readonly freshUntil: number;
  readonly staleUntil: number;
  /** When Redis or the origin last vouched for it. */
  readonly since: number;
  readonly bytes: number;
  newer: LocalEntry | undefined;
  older: LocalEntry | undefined;

  constructor(entry: {
    readonly key: string;
    readonly version: string | undefined;
    readonly value: unknown;
    readonly tagging: Tagging | undefined;
    readonly readyUntil: number;
    readonly freshUntil: number;
    readonly staleUntil: number;
    readonly since: number;
    readonly bytes: number;
  }) {
    this.key = entry.key;
    this.version = entry.version;
    this.value = entry.value;
    this.tagging = entry.tagging;
    this.readyUntil = entry.readyUntil;
    this.freshUntil = entry.freshUntil;
    this.staleUntil = entry.staleUntil;
    this.since = entry.since;
    this.bytes = entry.bytes;
    this.newer = undefined;
    this.older = undefined;
  }
}
