import type { GroupOffset } from '../transactor.ts';
import type { CommitTopic } from './kafkajs-package.ts';

/** Offsets as a commit takes them. */
export function commitTopics(offsets: readonly GroupOffset[]): readonly CommitTopic[] {
  return [...Map.groupBy(offsets, ({ topic }) => topic)].map(([topic, of]) => ({
    topic,
    partitions: of.map(({ partition, offset }) => ({ partition, offset: String(offset), metadata: null })),
  }));
}
