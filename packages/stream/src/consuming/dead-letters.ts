import type { KafkaRecord, ReadRecord, TopicPartition } from '../driver/record.ts';
import type { Layout } from '../publishing/layout.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import type { Publisher } from '../publishing/publisher.ts';
import { headerNames } from '../topic/headers.ts';
import type { Burial } from './burial.ts';
import type { Dead } from './entry.ts';

/** Where the messages of a topic go that could not be handled. */
export function deadTopicOf(topic: string): string {
  return `${topic}.dead`;
}

/** Headers are for people: a long text says no more than its beginning. */
const longest = 1_000;

/** Messages that were given up, as they were, with the reason. */
export class DeadLetters implements Burial {
  readonly #publisher: Publisher;
  readonly #layout: Layout;
  readonly #group: string;

  constructor(publisher: Publisher, layout: Layout, group: string) {
    this.#publisher = publisher;
    this.#layout = layout;
    this.#group = group;
  }

  async add(
    { topic, partition }: TopicPartition,
    record: ReadRecord,
    { reason, error }: Dead,
    attempts: number,
    signal: AbortSignal,
  ): Promise<void> {
    const dead = deadTopicOf(topic);
    const { length } = await this.#layout.of(dead);
    const { key, value, timestamp, offset } = record;
    const told = {
      [headerNames.deadReason]: reason,
      [headerNames.deadError]: error.slice(0, longest),
      [headerNames.deadTopic]: topic,
      [headerNames.deadPartition]: String(partition),
      [headerNames.deadOffset]: String(offset),
      [headerNames.deadAttempts]: String(attempts),
      [headerNames.deadGroup]: this.#group,
    };
    // What an earlier death said is the earlier one's.
    const own = record.headers.filter(([name]) => !(name in told));
    const headers = [...own, ...Object.entries(told).map(([name, text]) => [name, Buffer.from(text)] as const)];
    const to = key === null ? Number(offset % BigInt(length)) : partitionOf(key, length);
    const letter: KafkaRecord = { key, value, headers, timestamp };
    await this.#publisher.publish(dead, to, letter, signal);
  }
}
