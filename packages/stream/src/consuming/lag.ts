import type { PartitionWork } from './partition-work.ts';

/** How far a consumer is behind, in the partitions that it has. */
export interface Lag {
  /** Messages that are not done with, of which the consumer knows. */
  readonly messages: bigint;
  /** How long ago the oldest message was published that has arrived and is not done with, in milliseconds by the clocks of both; 0 when there is none. */
  readonly oldestMs: number;
  readonly partitions: readonly PartitionLag[];
}

export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** Everything before it is done with. */
  readonly position: bigint;
  /** Where the partition ends, as far as the consumer has heard. */
  readonly end: bigint;
  readonly lag: bigint;
}

export function lagOf(works: Iterable<PartitionWork>): Lag {
  let messages = 0n;
  let oldest: number | undefined;
  const partitions: PartitionLag[] = [];
  for (const { partition, progress, end, oldest: own } of works) {
    const lag = end > progress.position ? end - progress.position : 0n;
    partitions.push({ ...partition, position: progress.position, end, lag });
    messages += lag;
    if (own !== undefined && (oldest === undefined || own < oldest)) oldest = own;
  }
  return { messages, oldestMs: oldest === undefined ? 0 : Math.max(0, Date.now() - oldest), partitions };
}
