import type { ReadRecord } from '../../record.ts';

/** A batch as Kafka keeps it, of which the header is read, and the records when they are asked for. */
export interface StoredBatch {
  readonly baseOffset: bigint;
  readonly lastOffsetDelta: number;
  /** Of its last record, also when compaction has removed that. */
  readonly lastOffset: bigint;
  readonly attributes: number;
  readonly producerId: bigint;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly transactional: boolean;
  /** How a transaction ended, when this says only that; no consumer sees it. */
  readonly marker: 'abort' | 'commit' | undefined;
  /** Whether this is no message of anybody: a marker, or something else that brokers tell each other. */
  readonly control: boolean;
  /** Those from this offset on. They are copies of their own. Throws MalformedAnswerError or UnreadableBatchError. */
  records(from: bigint): ReadRecord[];
}

/**
 * The batches of an answer, one after the other; one that is cut short at the end is left out. Throws MalformedAnswerError or
 * UnreadableBatchError when it comes to a batch that cannot be read: those before it can.
 */
export function* storedBatches(_bytes: Buffer): Generator<StoredBatch, void, undefined> {
  yield* [];
}
