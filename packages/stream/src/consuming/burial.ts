import type { ReadRecord, TopicPartition } from '../driver/record.ts';
import type { Dead } from './entry.ts';

/** Where messages go that were given up. */
export interface Burial {
  /** Resolves when it is certain that somebody will know of it. `attempts`: how often it was tried. */
  add(partition: TopicPartition, record: ReadRecord, dead: Dead, attempts: number, signal: AbortSignal): Promise<void>;
}
