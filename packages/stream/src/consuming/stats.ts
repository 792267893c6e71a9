/** Counts since the start of a consumer. */
export interface ConsumerStats {
  /** Messages whose handler succeeded. */
  handled: number;
  /** Attempts that failed. */
  failures: number;
  /** Messages that came twice and were left out. */
  duplicates: number;
  /** Messages of a predecessor that were left out. */
  fenced: number;
  deadLetters: number;
  /** Messages that were given up without a dead letter. */
  dropped: number;
  /** Messages that were gone before they could be read. */
  missed: bigint;
  /** How often the group shared its partitions out anew. */
  rebalances: number;
}

export const noStats: ConsumerStats = {
  handled: 0,
  failures: 0,
  duplicates: 0,
  fenced: 0,
  deadLetters: 0,
  dropped: 0,
  missed: 0n,
  rebalances: 0,
};
