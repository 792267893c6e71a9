import type { TopicPartition } from '../driver/record.ts';

/** What has to be there before the messages of a partition can be worked on. */
export interface Guard {
  /** Tries until it has succeeded, or the signal aborts. Then it resolves as well: nothing begins any more. */
  open(partition: TopicPartition, signal: AbortSignal): Promise<void>;
  /** Nothing of the partition runs any more. */
  close(partition: TopicPartition): void;
}
