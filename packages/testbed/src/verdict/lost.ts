import type { Operation } from '../history/operation.ts';

/** What became of the updates of one key. */
export interface Judged {
  /** How many operations were judged; 0 when none of them could have shown a loss. */
  readonly count: number;
  readonly lost?: Lost;
}

export interface Lost {
  readonly summary: string;
  readonly why: string;
  readonly operations: readonly Operation[];
}
