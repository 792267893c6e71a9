/** A value in this process. Times are of our monotonic clock, in whole milliseconds: those take no memory of their own. */
export class LocalEntry {
  readonly key: string;
  readonly value: unknown;
  readonly tags: readonly string[];
  /** What the clock of invalidations read before it was loaded. */
  readonly clock: number;
  readonly freshUntil: number;
  readonly staleUntil: number;
  /** When Redis or the origin last vouched for it. */
  readonly since: number;
  readonly loadMs: number;
  readonly bytes: number;
  /** Until then it is given out without another thought; afterwards it may be time to refresh it. */
  readyUntil: number;
  /** What the clock of invalidations read when its tags were last compared. */
  checkedAt: number;
  newer: LocalEntry | undefined;
  older: LocalEntry | undefined;

  constructor(entry: {
    readonly key: string;
    readonly value: unknown;
    readonly tags: readonly string[];
    readonly clock: number;
    readonly readyUntil: number;
    readonly freshUntil: number;
    readonly staleUntil: number;
    readonly since: number;
    readonly loadMs: number;
    readonly bytes: number;
  }) {
    this.key = entry.key;
    this.value = entry.value;
    this.tags = entry.tags;
    this.clock = entry.clock;
    this.freshUntil = entry.freshUntil;
    this.staleUntil = entry.staleUntil;
    this.since = entry.since;
    this.loadMs = entry.loadMs;
    this.bytes = entry.bytes;
    this.readyUntil = entry.readyUntil;
    this.checkedAt = entry.tags.length === 0 ? Infinity : entry.clock;
    this.newer = undefined;
    this.older = undefined;
  }
}
