import type { QuorateError } from '@quorate/core';
import type { ReadRecord, TopicPartition } from './record.ts';

export interface PartitionReaderOptions {
  readonly topic: string;
  /** Which partitions, and from which offset each. */
  readonly from: ReadonlyMap<number, bigint>;
  /** Ends the start, not the reader. */
  readonly signal: AbortSignal;
}

export interface PartitionReaderEvents {
  /** As with a group. */
  records(
    partition: TopicPartition,
    records: readonly ReadRecord[],
    where: { readonly next: bigint; readonly end: bigint },
  ): void;
  /** Retention has overtaken the reader: so many messages are gone, and it goes on after them. */
  missed(partition: TopicPartition, count: bigint): void;
  trouble(error: QuorateError | undefined): void;
}

/** Resolves from `readPartitions` when it reads. Reads committed messages only. */
export interface PartitionReader {
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
  /** Idempotent, and never rejects. Nothing of it is left in Kafka. */
  stop(): Promise<void>;
}
