import type { QuorateError } from '@quorate/core';
import type { RecordBatch } from './record.ts';

/** What became of one batch: where its first record stands, or why it is not there, or why nobody knows (`happened`). */
export type Appended =
  | { readonly offset: bigint; readonly error?: undefined }
  | { readonly error: QuorateError; readonly offset?: undefined };

/** Appends with an idempotent producer, acknowledged by all replicas in sync: what is sent again by itself is written once. */
export interface Appender {
  /**
   * Each partition at most once in a call, and in no two calls at the same time: order is the caller's. Gives the outcome of each
   * batch, in their order, and never rejects. Gives up after `deliveryTimeout` at the latest.
   *
   * After an outcome that nobody knows the appender is not to be used again: a later batch could be taken for a repetition of the one in doubt,
   * and dropped.
   */
  append(batches: readonly RecordBatch[]): Promise<readonly Appended[]>;
  /** Ends what is under way, as failed. Idempotent. */
  close(): Promise<void>;
}
