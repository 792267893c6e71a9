import type { KafkaRecord } from '../../record.ts';

/** Records that are written together, and by whom. */
export interface RecordBatchAsk {
  readonly records: readonly KafkaRecord[];
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The number of the first record among those of this producer in this partition. */
  readonly baseSequence: number;
  readonly transactional: boolean;
}

/** A batch as Kafka keeps it. */
export function encodeBatch(_ask: RecordBatchAsk): Buffer {
  throw new Error('not written yet');
}
