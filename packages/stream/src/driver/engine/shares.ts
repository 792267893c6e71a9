import type { TopicPartition } from '../record.ts';

/** Whose turn it is, partition by partition, among those that want the topic: each gets as many as the others, or one more. */
export function shares(
  members: ReadonlyMap<string, readonly string[]>,
  partitions: ReadonlyMap<string, number>,
): ReadonlyMap<string, readonly TopicPartition[]> {
  const shared = new Map<string, TopicPartition[]>([...members.keys()].toSorted().map((member) => [member, []]));
  for (const topic of [...partitions.keys()].toSorted()) {
    for (let partition = 0; partition < (partitions.get(topic) ?? 0); partition += 1) {
      let least: TopicPartition[] | undefined;
      for (const [member, share] of shared) {
        if (members.get(member)?.includes(topic) && (!least || share.length < least.length)) least = share;
      }
      least?.push({ topic, partition });
    }
  }
  return shared;
}
