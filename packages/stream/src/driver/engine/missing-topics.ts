import { backoff, type QuorateError } from '@quorate/core';
import type { TopicPartition } from '../record.ts';
import type { Cluster } from './cluster.ts';

export interface MissingTopicsAsking {
  readonly what: string;
  readonly signal: AbortSignal;
}

/**
 * A member without partitions of a topic has nothing to read, and nothing to fail at: it may be that others have them all, or that the topic is gone. Tells of the latter, and when it is there,
 * until it is or the signal aborts. Of whoever answers the topic may not be known yet: that takes two answers.
 */
export async function watchMissing(
  cluster: Cluster,
  topics: readonly string[],
  partitions: readonly TopicPartition[],
  tell: (topic: string, missing: QuorateError | undefined) => void,
  { what, signal }: MissingTopicsAsking,
): Promise<void> {
  const missing = new Set(topics);
  for (const { topic } of partitions) if (missing.delete(topic)) tell(topic, undefined);
  const pauses = backoff({ min: 500, max: 5_000 });
  for (let looks = 1; missing.size > 0 && !signal.aborted; looks += 1) {
    try {
      const found = await cluster.look([...missing], { what, signal });
      for (const topic of missing) {
        if (found.has(topic)) {
          missing.delete(topic);
          tell(topic, undefined);
        } else if (looks > 1) tell(topic, cluster.unplanned(topic));
      }
    } catch {
      // Then it is not known. Others say that nobody answers.
    }
    if (missing.size > 0) await pauses.wait({ signal }).catch(() => {});
  }
}
