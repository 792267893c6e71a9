import { type Channel, channel } from 'node:diagnostics_channel';
import type { TopicPartition } from '../driver/record.ts';
import type { Entry } from './entry.ts';

/** Published on `quorate.stream.drop` for each message that was given up without a dead letter. Its contents are not part of it. */
export interface Dropped extends TopicPartition {
  readonly group: string;
  readonly offset: bigint;
  readonly reason: string;
  readonly error: string;
}

const drops: Channel<unknown, Dropped> = channel('quorate.stream.drop');

export function drop(group: string, { topic, partition }: TopicPartition, { record, dead }: Entry): void {
  if (!drops.hasSubscribers) return;
  const { reason = '', error = '' } = dead ?? {};
  drops.publish({ group, topic, partition, offset: record.offset, reason, error });
}
