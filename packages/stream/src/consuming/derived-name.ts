import type { TopicPartition } from '../driver/record.ts';

/**
 * The last word of a name that is made of a topic and a group, both of which may have dots: where the group has some, their number is part of it, so that there are
 * no two pairs of the same name.
 */
export function lastWord(word: string, group: string): string {
  const dots = group.split('.').length - 1;
  return dots === 0 ? word : `${word}-${dots}`;
}

/** Of what a group commits for a partition. */
export function transactionalIdOf(group: string, { topic, partition }: TopicPartition): string {
  return `${group}.${topic}.${lastWord(String(partition), group)}`;
}

/** Of what is kept in a partition of a topic for fencing tokens. No group and no topic has a colon. */
export function fencesIdOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}
