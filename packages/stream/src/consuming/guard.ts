import type { Assigned } from '../driver/group-reader.ts';
import type { TopicPartition } from '../driver/record.ts';

/** Whether the group can still count us as a member, and has said so after that time of `performance.now()`. */
export type IsOurs = (since: number) => boolean;

/** What has to be there before the messages of a partition can be worked on. */
export interface Guard {
  /** What keeps messages waiting, in words; undefined when nothing does. */
  readonly trouble?: string | undefined;
  /**
   * Tries until it has succeeded, or the signal aborts. Then it resolves as well: nothing begins any more. What it gives is where the group is in fact, when
   * that is further than was known when the partition was assigned.
   */
  open(partition: Assigned, signal: AbortSignal, isOurs: IsOurs): Promise<bigint | undefined>;
  /** Nothing of the partition runs any more, of the time to which this signal belongs. It may have been opened anew meanwhile. */
  close(partition: TopicPartition, signal: AbortSignal): void;
}
