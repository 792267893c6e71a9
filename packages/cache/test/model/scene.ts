import type { Cache } from '../../src/index.ts';
import type { Changes } from './changes.ts';
import type { Wire } from './wire.ts';

/** What was proved: how often it could have gone wrong. */
export interface Proved {
  /** Answers that had a change before them that they could have missed. */
  checked: number;
  /** Answers from the memory of a process. */
  remembered: number;
  /** Stale values that were given out. */
  stale: number;
  /** Callers that left before they had an answer. */
  left: number;
  /** Answers for several keys at once. */
  many: number;
  /** Reads and writes under a token that were done, and those that were refused. */
  led: number;
  fenced: number;
  /** Answers of processes that had met nobody when they were asked. */
  unmet: number;
  /** Writes that were done when their process had given them up. */
  late: number;
}

export const nothingProved = (): Proved => ({
  checked: 0,
  remembered: 0,
  stale: 0,
  left: 0,
  many: 0,
  led: 0,
  fenced: 0,
  unmet: 0,
  late: 0,
});

export interface Process {
  readonly by: number;
  readonly wire: Wire;
  readonly cache: Cache;
}

/** Where callers read and write. */
export interface Scene {
  readonly changes: Changes;
  readonly proved: Proved;
  readonly step: number;
  tell(line: string): void;
  /** An answer was older than what was promised, or a write was done that a token forbids. */
  breach(): void;
  /** It is not over before this has ended. */
  follow(work: Promise<void>): void;
}
