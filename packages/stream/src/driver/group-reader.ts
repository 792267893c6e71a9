import type { QuorateError } from '@quorate/core';
import type { ReadRecord, TopicPartition } from './record.ts';
import type { GroupIdentity, GroupOffset } from './transactor.ts';

export interface GroupReaderOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** Where to begin in a partition for which the group has committed nothing. */
  readonly from: 'earliest' | 'latest';
  /**
   * What to do where a transaction has committed an offset of the group and is not decided yet: wait for the decision (default), or begin at the offset before, because the caller finds out
   * by itself.
   */
  readonly undecided?: 'wait' | 'ignore';
  /** In milliseconds: after so long without a word the group gives the member's partitions to others. */
  readonly sessionTimeout: number;
  /** How long a rebalance waits for `revoked`, in milliseconds; less than `sessionTimeout`. */
  readonly handOver: number;
  /** Ends the start, not the reader. */
  readonly signal: AbortSignal;
}

/** Where reading of a partition begins. */
export interface Assigned extends TopicPartition {
  readonly offset: bigint;
  /** How many messages are gone that the group had not read, because their retention is over; 0n otherwise. */
  readonly missed: bigint;
}

/** What a reader tells. It never calls two of these at the same time, except `records` of different partitions, and `lost` and `trouble` at any time. */
export interface GroupReaderEvents {
  /** These partitions, and no others, are ours from now on, as this member; none is paused. Everything that comes by `records` is of them. */
  assigned(partitions: readonly Assigned[], as: GroupIdentity): void;
  /**
   * The group shares its partitions out anew, or the reader stops: nothing more comes of any partition. The reader waits until it
   * resolves, or until `handOver` has passed, before it gives them up; commits are still taken until then.
   */
  revoked(): Promise<void>;
  /**
   * The membership has ended without notice: somebody else may have the partitions already. Commits are refused. `revoked` does not follow; `assigned` may.
   */
  lost(reason: QuorateError): void;
  /**
   * In order, without gaps, from where `assigned` said. `next` is the offset to ask for after these, which counts what no consumer sees as well: markers of
   * transactions, and what was aborted or compacted away. `records` may be empty, when there was only that. `end` is where the partition ends for a reader.
   */
  records(
    partition: TopicPartition,
    records: readonly ReadRecord[],
    where: { readonly next: bigint; readonly end: bigint },
  ): void;
  /** Membership was confirmed by the coordinator, by a request that was sent at this time of `performance.now()`. */
  confirmed(at: number): void;
  /** Something went wrong, and the reader tries again by itself: undefined when all is well again. */
  trouble(error: QuorateError | undefined): void;
}

/** A member of a consumer group. Reads committed messages only. */
export interface GroupReader {
  /** Nothing more comes of the partition until `resume`, at most what is on its way already. For partitions that are not ours: nothing happens. */
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  /**
   * Rejects with `not-a-member` (`happened: 'no'`) when the group does not count us as a member of this generation any more. Of a topic that was deleted and made
   * again nothing is committed: an offset of the old one says nothing of the new one.
   */
  commit(offsets: readonly GroupOffset[]): Promise<void>;
  /** Hands over as in a rebalance, and begins anew where the group is by then. */
  rejoin(): void;
  /** `revoked` comes first, if there is anything to revoke; then leaves the group. Idempotent, and never rejects. */
  stop(): Promise<void>;
}
