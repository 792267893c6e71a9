import type { TopicPartition } from '../driver/record.ts';
import { MessageTooLargeError } from '../errors/message-too-large-error.ts';
import type { Layout } from '../publishing/layout.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import type { Publisher } from '../publishing/publisher.ts';
import { headerNames, headersByName, publishedAt } from '../topic/headers.ts';
import type { Output } from '../topic/prepared.ts';
import { lastWord } from './derived-name.ts';
import type { Entry } from './entry.ts';
import { originOf } from './origin.ts';
import type { RecordLimits } from './record-limits.ts';

/** Where a group keeps the messages of a topic that are to be tried again later. */
export function laterTopicOf(topic: string, group: string): string {
  return `${topic}.${group}.${lastWord('later', group)}`;
}

const { published, originTopic, originPartition, originOffset, attempts, due } = headerNames;

/** A second topic, through which messages go that failed: those behind them do not wait, and may overtake them. */
export class Later {
  readonly #publisher: Publisher;
  readonly #layout: Layout;
  readonly #limits: RecordLimits;
  /** Whose messages they are. */
  readonly #from: string;
  readonly #topic: string;
  readonly #delay: number;

  constructor(publisher: Publisher, layout: Layout, limits: RecordLimits, from: string, topic: string, delay: number) {
    this.#publisher = publisher;
    this.#layout = layout;
    this.#limits = limits;
    this.#from = from;
    this.#topic = topic;
    this.#delay = delay;
  }

  async add(from: TopicPartition, entry: Entry, signal: AbortSignal): Promise<void> {
    const { topic, partition, record } = await this.output(from, entry, signal);
    await this.#publisher.publish(topic, partition, record, signal);
  }

  /** All wait equally long: so they are due in the order in which they stand. Rejects with `message-too-large` where it does not fit there. */
  async output(from: TopicPartition, entry: Entry, signal: AbortSignal): Promise<Output> {
    const { record, failures } = entry;
    const origin = originOf(from, entry);
    const { length } = await this.#layout.of(this.#topic);
    const told = {
      [published]: String(publishedAt(record)),
      [originTopic]: origin.topic,
      [originPartition]: String(origin.partition),
      [originOffset]: String(origin.offset),
      [attempts]: String(failures),
      [due]: String(Date.now() + this.#delay),
    };
    const own = record.headers.filter(([name]) => !(name in told));
    const headers = [...own, ...Object.entries(told).map(([name, text]) => [name, Buffer.from(text)] as const)];
    const { key, value } = record;
    const partition = key === null ? Number(origin.offset % BigInt(length)) : partitionOf(key, length);
    const again = { key, value, headers, timestamp: Date.now() };
    if ((await this.#limits.excess(this.#topic, again, signal)) > 0)
      throw new MessageTooLargeError(`try a message of ${origin.topic} later`);
    return { topic: this.#topic, partition, record: again };
  }

  /** What a message that came through the topic says of itself; how long it still has to wait, in milliseconds. One that nobody of the group has put there is given up. */
  welcome({ topic }: TopicPartition, entry: Entry): number {
    if (topic !== this.#topic) return 0;
    entry.due ??= this.#arrived(entry);
    return entry.due - performance.now();
  }

  /** When it is due, by a clock that nobody sets. */
  #arrived(entry: Entry): number {
    const told = headersByName(entry.record.headers);
    const whole = [originPartition, originOffset, attempts, due].map(
      (name) => /^\d{1,18}$/.exec(told[name] ?? '')?.[0],
    );
    const [partition, offset, failures, at] = whole;
    if (told[originTopic] !== this.#from || !partition || !offset || !failures || !at) {
      entry.dead = { reason: 'invalid-origin', error: `it does not say where it stood in ${this.#from}` };
      return 0;
    }
    entry.origin = { topic: this.#from, partition: Number(partition), offset: BigInt(offset) };
    entry.failures = Number(failures);
    // Whatever it says: nobody waits longer from now on than those that fail now.
    return performance.now() + Math.min(Number(at) - Date.now(), this.#delay);
  }
}
