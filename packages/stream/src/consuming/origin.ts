import type { TopicPartition } from '../driver/record.ts';
import type { Entry } from './entry.ts';

/** Where a message stood first, which came from this partition. */
export function originOf(
  { topic, partition }: TopicPartition,
  { origin, record }: Entry,
): TopicPartition & { readonly offset: bigint } {
  return origin ?? { topic, partition, offset: record.offset };
}
