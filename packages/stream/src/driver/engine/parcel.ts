import type { Appended } from '../appender.ts';
import type { RecordBatch } from '../record.ts';

/** Under which Kafka knows a producer; with the sequence of a batch it tells what it has already. */
export interface Identity {
  readonly id: bigint;
  readonly epoch: number;
}

/** A batch on its way. */
export interface Parcel {
  readonly batch: RecordBatch;
  identity: Identity;
  /** The number of its first record among those of this identity in this partition. It stays, however often it is sent. */
  sequence: number;
  /** Whether it may have been written by an attempt whose outcome nobody knows. */
  doubt: boolean;
  outcome: Appended | undefined;
}
