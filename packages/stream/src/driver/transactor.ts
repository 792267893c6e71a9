import type { RecordBatch, TopicPartition } from './record.ts';

/** An offset to commit for a group: of the next message to work on. */
export interface GroupOffset extends TopicPartition {
  readonly offset: bigint;
}

/** As whom a member has its partitions: valid until the group shares them out anew. */
export interface GroupIdentity {
  readonly member: string;
  readonly generation: number;
  /** The id of each topic of which it has partitions: of one that has another id by now, which was deleted and made again, no offset is committed. */
  readonly topics?: ReadonlyMap<string, string>;
}

/**
 * One transaction after the other under one transactional id. Every method rejects with `fenced-producer` (`happened: 'no'`) when somebody has taken
 * the id over, and is then of no more use. After any other error: `abort`, `renew`, or close and begin with another one. Only to
 * find out what Kafka has refused of an `append`, for what is in it, may others follow before that.
 */
export interface Transactor {
  readonly id: string;
  begin(): Promise<void>;
  /** Resolves with the offset of the first record of each batch, in their order. */
  append(batches: readonly RecordBatch[]): Promise<readonly bigint[]>;
  /**
   * The offsets are committed with the transaction, or not at all. `as`: rejects with `not-a-member` (`happened: 'no'`) when the group does not count
   * that member as one of that generation any more, or its topic was made again. Without it the group takes them from anybody.
   */
  sendOffsets(group: string, offsets: readonly GroupOffset[], as?: GroupIdentity): Promise<void>;
  /** Rejects as `ambiguous` when nobody knows whether it was committed: whoever takes the id over next decides that, and no later than `timeout`. */
  commit(): Promise<void>;
  abort(): Promise<void>;
  /**
   * Finds out, after an error, and goes on: what was begun is decided when it resolves, committed by a `commit` of which nobody
   * knew, or aborted. Takes the id from nobody: `fenced-producer` when somebody else has it by now, or when the coordinator has ended the transaction
   * because its time was up, which looks the same.
   */
  renew(signal?: AbortSignal): Promise<void>;
  /** Idempotent. A transaction that is under way is aborted, by the broker when it cannot be told. */
  close(): Promise<void>;
}
