import type { KafkaRecord, TopicPartition } from '../driver/record.ts';
import type { Layout } from '../publishing/layout.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import type { Publisher } from '../publishing/publisher.ts';
import { headerNames, publishedAt } from '../topic/headers.ts';
import type { Output } from '../topic/prepared.ts';
import type { Burial } from './burial.ts';
import type { Entry } from './entry.ts';
import { originOf } from './origin.ts';
import type { RecordLimits } from './record-limits.ts';

/** Where the messages of a topic go that could not be handled. */
export function deadTopicOf(topic: string): string {
  return `${topic}.dead`;
}

/** Headers are for people: a long text says no more than its beginning. */
const longest = 1_000;

/** How much what says so takes. */
const noteSize = 200;

/** The beginning of its value; where that is not enough, without its own headers, and of its key the beginning. */
function cut(letter: KafkaRecord, told: KafkaRecord['headers'], excess: number): KafkaRecord {
  const { key, value, headers } = letter;
  const [size, over] = [value?.length ?? 0, excess + noteSize];
  const kept = Math.max(0, size - over);
  const text = `the first ${kept} of ${size} bytes of its value are left`;
  const note = (said: string) => [headerNames.deadCut, Buffer.from(said)] as const;
  if (over <= size) return { ...letter, value: value?.subarray(0, kept) ?? null, headers: [...headers, note(text)] };
  return {
    ...letter,
    key: key?.subarray(0, longest) ?? null,
    value: null,
    headers: [...told, note(`${text}, none of its headers, and of its key ${longest} bytes at most`)],
  };
}

/** Messages that were given up, as they were, with the reason. */
export class DeadLetters implements Burial {
  readonly #publisher: Publisher;
  readonly #layout: Layout;
  readonly #limits: RecordLimits;
  /** Where they go, whatever a message says of where it stood. */
  readonly #topic: string;
  readonly #group: string;

  /** Of this topic. */
  constructor(publisher: Publisher, layout: Layout, limits: RecordLimits, topic: string, group: string) {
    this.#publisher = publisher;
    this.#layout = layout;
    this.#limits = limits;
    this.#topic = deadTopicOf(topic);
    this.#group = group;
  }

  async add(from: TopicPartition, entry: Entry, signal: AbortSignal): Promise<void> {
    const { topic, partition: to, record } = await this.letter(from, entry, signal);
    await this.#publisher.publish(topic, to, record, signal);
  }

  async letter(from: TopicPartition, entry: Entry, signal: AbortSignal): Promise<Output> {
    const { record, dead, failures } = entry;
    const origin = originOf(from, entry);
    const to = this.#topic;
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
    const own = record.headers.filter(([name]) => !(name in told) && name !== headerNames.deadCut);
    const added = Object.entries(told).map(([name, text]) => [name, Buffer.from(text)] as const);
    const whole = { key, value, headers: [...own, ...added], timestamp: Date.now() };
    const excess = await this.#limits.excess(to, whole, signal);
    const place = key === null ? Number(origin.offset % BigInt(length)) : partitionOf(key, length);
    return { topic: to, partition: place, record: excess > 0 ? cut(whole, added, excess) : whole };
  }
}

/** Dead letters that are committed together with the progress. */
export class TransactionalDeadLetters implements Burial {
  readonly #letters: DeadLetters;

  constructor(letters: DeadLetters) {
    this.#letters = letters;
  }

  async add(from: TopicPartition, entry: Entry, signal: AbortSignal): Promise<void> {
    entry.outputs = [await this.#letters.letter(from, entry, signal)];
  }
}
