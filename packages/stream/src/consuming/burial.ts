import type { TopicPartition } from '../driver/record.ts';
import type { Entry } from './entry.ts';

/** Where messages go that were given up. */
export interface Burial {
  /** Resolves when it is certain that somebody will know of it. */
  add(partition: TopicPartition, entry: Entry, signal: AbortSignal): Promise<void>;
}
