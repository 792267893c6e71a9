import { checkNames, deadline, duration, InvalidArgumentError } from '@quorate/core';
import type { Connection, Opened } from '../connection.ts';
import { type ConsumeOptions, checkConsumeOptions } from '../consuming/consume-options.ts';
import type { Consumer } from '../consuming/consumer.ts';
import { startConsumer } from '../consuming/start-consumer.ts';
import type { KafkaRecord } from '../driver/record.ts';
import { MessageTooLargeError } from '../errors/message-too-large-error.ts';
import { PartlyPublishedError } from '../errors/partly-published-error.ts';
import { PoisonMessageError } from '../errors/poison-message-error.ts';
import { Gate } from '../publishing/gate.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import { sizeOf } from '../publishing/pending.ts';
import { type ReadOptions, readTopic } from '../reading/read-topic.ts';
import { Codec } from './codec.ts';
import { createTopic } from './create-topic.ts';
import type { Message, NewMessage, Published, PublishOptions } from './message.ts';
import type { Encodable, Output, Publishable } from './prepared.ts';
import type { TopicSettings } from './topic-options.ts';

export interface WaitOptions {
  readonly signal?: AbortSignal;
}

/** A topic with several partitions, and whoever leads them. */
interface Open extends Opened {
  readonly leaders: readonly number[];
}

/** One topic: what its messages are, and what can be done with it. Made by `stream.topic`. */
export class Topic<Key = string | null, Value = unknown, Input = Value>
  implements Publishable<Input>, Encodable<Input>
{
  readonly name: string;
  readonly #settings: TopicSettings;
  readonly #connection: Connection;
  readonly #codec: Codec;
  readonly #gate: Gate<Open>;
  #turn = 0;

  constructor(settings: TopicSettings, connection: Connection) {
    const { name, key, versions, format } = settings;
    this.name = name;
    this.#settings = settings;
    this.#connection = connection;
    this.#codec = new Codec(name, key, versions, format);
    this.#gate = new Gate(
      () => {
        const { opened } = connection;
        const leaders = opened?.layout.known(name);
        return opened && leaders ? { ...opened, leaders } : undefined;
      },
      async () => {
        const opened = await connection.open();
        return { ...opened, leaders: await opened.layout.of(name) };
      },
    );
  }

  /** Makes the topic. One that is there is left as it is: when it differs from what was declared, the error says in which point. */
  async create({ signal }: WaitOptions = {}): Promise<void> {
    const { driver } = await this.#connection.open();
    const either = signal ? AbortSignal.any([signal, this.#connection.over]) : this.#connection.over;
    await createTopic(driver.admin, this.#settings, either);
  }

  /**
   * Resolves when all replicas in sync have the message. It is sent once more by itself when an answer is lost, and written once. Messages of one key that are published one after
   * the other, by one stream, stand in that order. Rejects with `ambiguous` when nobody knows whether it was written; after any other error it was not.
   */
  publish(message: NewMessage<Input>, options: PublishOptions = {}): Promise<Published> {
    let checked: Encoded;
    try {
      checked = this.encode(message);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#limited(options, (signal) => this.#traced(checked, signal));
  }

  /** All of them, each by itself: there is no "all or nothing". All are checked before the first is sent. */
  async publishMany(
    messages: readonly NewMessage<Input>[],
    options: PublishOptions = {},
  ): Promise<readonly Published[]> {
    if (!Array.isArray(messages)) throw new InvalidArgumentError('messages', 'a list', messages);
    const checked = messages.map((message) => this.encode(message));
    return this.#limited(options, async (signal) => {
      const results = await Promise.allSettled(checked.map((one) => this.#traced(one, signal)));
      const failed = results.find((result) => result.status === 'rejected');
      if (!failed) return results.map((result) => (result as PromiseFulfilledResult<Published>).value);
      const outcomes = results.map((result) =>
        result.status === 'fulfilled' ? result.value : { error: result.reason as unknown },
      );
      throw new PartlyPublishedError(outcomes, failed.reason);
    });
  }

  /** Resolves when the consumer is a member of its group. */
  async consume(options: ConsumeOptions<Key, Value>): Promise<Consumer> {
    const settings = checkConsumeOptions(options);
    const { signal } = options;
    const opened = await this.#connection.open();
    const either = signal ? AbortSignal.any([signal, this.#connection.over]) : this.#connection.over;
    const consumer = await startConsumer(opened, this.name, this.#codec, settings, either);
    this.#connection.add(consumer);
    return consumer;
  }

  /**
   * The messages that are there, each partition in order, without any group: for a look, or to do something once more with what has been. The first that is none is a `poison-message` error.
   */
  async *read(options: ReadOptions = {}): AsyncGenerator<Message<Key, Value>, void> {
    checkNames('options', options, ['from', 'to', 'signal']);
    const { driver } = await this.#connection.open();
    const { over } = this.#connection;
    const signal = options.signal ? AbortSignal.any([options.signal, over]) : over;
    for await (const { partition, record } of readTopic(driver, this.name, options, signal)) {
      const decoded = this.#codec.decode(record);
      if ('poison' in decoded) throw new PoisonMessageError(partition, record.offset, decoded.poison, decoded.detail);
      const { offset, timestamp } = record;
      yield { ...decoded, attempt: 1, ...partition, offset, timestamp } as Message<Key, Value>;
    }
  }

  /** Checks a message as `publish` does, and says what would be written where, without sending it. */
  async prepare(message: NewMessage<Input>): Promise<Output & { readonly id: string }> {
    const { id, record, partition } = this.encode(message);
    const { leaders } = await new Promise<Open>((resolve, reject) => this.#gate.pass(resolve, reject));
    return { id, topic: this.name, partition: this.#place(record, partition, leaders.length), record };
  }

  /** Checks a message as `publish` does, and gives it as Kafka would keep it, without asking Kafka. */
  encode(message: NewMessage<Input>): Encoded {
    if (typeof message !== 'object' || message === null)
      throw new InvalidArgumentError('message', 'an object with key and value', message);
    const { partition } = message;
    if (partition !== undefined && !(Number.isInteger(partition) && partition >= 0))
      throw new InvalidArgumentError('partition', 'a whole number of at least 0', partition);
    const { id, record } = this.#codec.encode(message);
    const most = this.#connection.settings.maxMessageBytes;
    if (sizeOf(record) > most)
      throw new MessageTooLargeError(`${this.name}: a message of ${sizeOf(record)} bytes, allowed are ${most}`);
    return { id, record, partition };
  }

  #traced(encoded: Encoded, signal: AbortSignal | undefined): Promise<Published> {
    const { tracing } = this.#connection.settings;
    if (!tracing) return this.#send(encoded, signal);
    const { id, record, partition } = encoded;
    const added: (readonly [string, Buffer])[] = [];
    const about = { topic: this.name, id, key: record.key?.toString(), bytes: record.value?.length ?? 0 };
    return tracing.send(
      about,
      (name, text) => added.push([name, Buffer.from(text)]),
      () => this.#send({ id, record: { ...record, headers: [...record.headers, ...added] }, partition }, signal),
    );
  }

  #send({ id, record, partition }: Encoded, signal: AbortSignal | undefined): Promise<Published> {
    return new Promise((resolve, reject) => {
      // Until it is known where the message goes. From then on the publisher listens to the signal.
      const giveUp = (): void => reject(signal?.reason);
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#gate.pass(({ publisher, leaders }) => {
        signal?.removeEventListener('abort', giveUp);
        try {
          const to = this.#place(record, partition, leaders.length);
          publisher
            .publish(this.name, to, record, signal)
            .then((offset) => resolve({ id, topic: this.name, partition: to, offset }), reject);
        } catch (error) {
          reject(error);
        }
      }, reject);
    });
  }

  #place({ key }: KafkaRecord, wanted: number | undefined, count: number): number {
    if (wanted !== undefined && wanted >= count)
      throw new InvalidArgumentError('partition', `0 to ${count - 1}: ${this.name} has ${count}`, wanted);
    if (wanted !== undefined) return wanted;
    if (key !== null) return partitionOf(key, count);
    this.#turn = (this.#turn + 1) % count;
    return this.#turn;
  }

  async #limited<T>(
    { signal, timeout }: PublishOptions,
    work: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    if (timeout === undefined) return work(signal);
    using limit = deadline(duration(timeout, { name: 'timeout', least: 1 }), signal);
    return await work(limit.signal);
  }
}

/** A message that has been checked. */
export interface Encoded {
  readonly id: string;
  readonly record: KafkaRecord;
  readonly partition: number | undefined;
}
