import type { TopicPartition } from '../driver/record.ts';
import type { Layout } from '../publishing/layout.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import type { Publisher } from '../publishing/publisher.ts';
import { headerNames, publishedAt } from '../topic/headers.ts';
import type { Output } from '../topic/prepared.ts';
import type { Burial } from './burial.ts';
import type { Entry } from './entry.ts';
import { originOf } from './origin.ts';

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

  async add(from: TopicPartition, entry: Entry, signal: AbortSignal): Promise<void> {
    const { topic, partition: to, record } = await this.letter(from, entry);
    await this.#publisher.publish(topic, to, record, signal);
  }

  async letter(from: TopicPartition, entry: Entry): Promise<Output> {
    const { record, dead, failures } = entry;
    const origin = originOf(from, entry);
    const to = deadTopicOf(origin.topic);
    const { length } = await this.#layout.of(to);
    const { key, value } = record;
    const { reason = '', error = '' } = dead ?? {};
    const told = {
      [headerNames.published]: String(publishedAt(record)),
      [headerNames.deadReason]: reason,
      [headerNames.deadError]: error.slice(0, longest),
      [headerNames.deadTopic]: origin.topic,
      [headerNames.deadPartition]: String(origin.partition),
      [headerNames.deadOffset]: String(origin.offset),
      [headerNames.deadAttempts]: String(failures),
      [headerNames.deadGroup]: this.#group,
    };
    // What an earlier death said is the earlier one's.
    const own = record.headers.filter(([name]) => !(name in told));
    const headers = [...own, ...Object.entries(told).map(([name, text]) => [name, Buffer.from(text)] as const)];
    const place = key === null ? Number(origin.offset % BigInt(length)) : partitionOf(key, length);
    return { topic: to, partition: place, record: { key, value, headers, timestamp: Date.now() } };
  }
}

/** Dead letters that are committed together with the progress. */
export class TransactionalDeadLetters implements Burial {
  readonly #letters: DeadLetters;

  constructor(letters: DeadLetters) {
    this.#letters = letters;
  }

  async add(from: TopicPartition, entry: Entry): Promise<void> {
    entry.outputs = [await this.#letters.letter(from, entry)];
  }
}
