import { checkNames, checkSignal, type Duration, deadline, duration, InvalidArgumentError } from '@quorate/core';
import type { Connection } from '../connection.ts';
import { type ConsumeOptions, checkConsumeOptions } from '../consuming/consume-options.ts';
import type { Consumer } from '../consuming/consumer.ts';
import { startConsumer } from '../consuming/start-consumer.ts';
import { sends } from '../diagnostics.ts';
import { type KafkaRecord, sizeOf } from '../driver/record.ts';
import { MessageTooLargeError } from '../errors/message-too-large-error.ts';
import { PartlyPublishedError } from '../errors/partly-published-error.ts';
import { PoisonMessageError } from '../errors/poison-message-error.ts';
import { type ReadOptions, readTopic } from '../reading/read-topic.ts';
import { Codec } from './codec.ts';
import { createTopic } from './create-topic.ts';
import { Dispatch, type Encoded } from './dispatch.ts';
import { isMark, publishedBy } from './headers.ts';
import type { Message, NewMessage, Published, PublishOptions } from './message.ts';
import type { Encodable, Output, Publishable } from './prepared.ts';
import type { TopicSettings } from './topic-options.ts';
import { traced } from './traced.ts';

export interface WaitOptions {
  readonly signal?: AbortSignal;
}

/** One topic: what its messages are, and what can be done with it. Made by `stream.topic`. */
export class Topic<Key = string | null, Value = unknown, Input = Value>
  implements Publishable<Input>, Encodable<Input>
{
  readonly name: string;
  readonly #settings: TopicSettings;
  readonly #connection: Connection;
  readonly #codec: Codec;
  readonly #dispatch: Dispatch;

  constructor(settings: TopicSettings, connection: Connection) {
    const { name, key, versions, format } = settings;
    this.name = name;
    this.#settings = settings;
    this.#connection = connection;
    this.#codec = new Codec(name, key, versions, format);
    this.#dispatch = new Dispatch(name, connection);
  }

  /** Makes the topic. One that is there is left as it is: when it differs from what was declared, the error says in which point. */
  async create(options: WaitOptions = {}): Promise<void> {
    checkNames('options', options, ['signal']);
    const either = this.#connection.until(options.signal);
    const { driver } = await this.#connection.open();
    await createTopic(driver.admin, this.#settings, either);
  }

  /**
   * Resolves when all replicas in sync have the message. It is sent once more by itself when an answer is lost, and written once. Messages of one key that are published one after
   * the other, by one stream, stand in that order. Rejects with `ambiguous` when nobody knows whether it was written; after any other error, such as `deadline-exceeded` or the
   * reason of the signal, it was not.
   */
  publish(message: NewMessage<Input>, options: PublishOptions = none): Promise<Published> {
    let checked: Encoded;
    try {
      checkPublishOptions(options);
      checked = this.encode(message);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#within(options, (signal) => this.#send(checked, signal));
  }

  /** All of them, each by itself: there is no "all or nothing". All are checked before the first is sent. */
  async publishMany(
    messages: readonly NewMessage<Input>[],
    options: PublishOptions = none,
  ): Promise<readonly Published[]> {
    checkPublishOptions(options);
    if (!Array.isArray(messages)) throw new InvalidArgumentError('messages', 'a list', messages);
    const checked = messages.map((message) => this.encode(message));
    return this.#within(options, (signal) => this.#sendAll(checked, signal));
  }

  /** Resolves when the consumer is a member of its group. */
  async consume(options: ConsumeOptions<Key, Value>): Promise<Consumer> {
    const settings = checkConsumeOptions(options);
    const either = this.#connection.until(options.signal);
    const opened = await this.#connection.open();
    const consumer = await startConsumer(opened, this.name, this.#codec, settings, either);
    this.#connection.add(consumer);
    return consumer;
  }

  /**
   * The messages that are there, each partition in order, without any group: for a look, or to do something once more with what has been. The first that is none is a `poison-message` error.
   */
  async *read(options: ReadOptions = {}): AsyncGenerator<Message<Key, Value>, void> {
    checkNames('options', options, ['from', 'to', 'signal']);
    const signal = this.#connection.until(options.signal);
    const { driver } = await this.#connection.open();
    for await (const { partition, record } of readTopic(driver, this.name, options, signal)) {
      if (isMark(this.name, record)) continue;
      const decoded = this.#codec.decode(record);
      if ('poison' in decoded) throw new PoisonMessageError(partition, record.offset, decoded.poison, decoded.detail);
      const { offset } = record;
      const timestamp = publishedBy(decoded.headers, record);
      yield { ...decoded, attempt: 1, ...partition, offset, timestamp } as Message<Key, Value>;
    }
  }

  /** Checks a message as `publish` does, and says what would be written where, without sending it. */
  async prepare(message: NewMessage<Input>): Promise<Output & { readonly id: string }> {
    const encoded = this.encode(message);
    const { id } = encoded;
    const topic = this.name;
    const partition = await this.#dispatch.place(encoded);
    const { tracing } = this.#connection.settings;
    const prepared = async (record: KafkaRecord): Promise<Output & { readonly id: string }> => ({
      id,
      topic,
      partition,
      record,
    });
    return traced<Output & { readonly id: string }>(tracing?.create, { topic, id }, encoded.record, prepared);
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

  #send(encoded: Encoded, signal: AbortSignal | undefined): Promise<Published> {
    const { tracing } = this.#connection.settings;
    const { id, record: checked, partition } = encoded;
    const about = { topic: this.name, id };
    const send = (record: KafkaRecord): Promise<Published> =>
      new Promise((resolve, reject) => {
        this.#dispatch.send({ id, record, partition }, signal, (error, published) => {
          if (published) resolve(published);
          else reject(error);
        });
      });
    if (!tracing && sends.hasSubscribers) return sends.tracePromise(() => send(checked), about);
    return traced<Published>(tracing?.send, about, checked, send);
  }

  async #sendAll(all: readonly Encoded[], signal: AbortSignal | undefined): Promise<readonly Published[]> {
    const outcomes: (Published | { readonly error: unknown })[] = [];
    let failure: { readonly error: unknown } | undefined;
    await new Promise<void>((resolve) => {
      let left = all.length;
      if (left === 0) resolve();
      const note = (index: number, outcome: Published | { readonly error: unknown }): void => {
        outcomes[index] = outcome;
        if ('error' in outcome) failure ??= outcome;
        left -= 1;
        if (left === 0) resolve();
      };
      for (const [index, one] of all.entries()) {
        if (this.#connection.settings.tracing || sends.hasSubscribers)
          this.#send(one, signal).then(
            (published) => note(index, published),
            (error: unknown) => note(index, { error }),
          );
        else this.#dispatch.send(one, signal, (error, published) => note(index, published ?? { error }));
      }
    });
    if (failure) throw new PartlyPublishedError(outcomes, failure.error);
    return outcomes as Published[];
  }

  #within<T>({ signal, timeout }: PublishOptions, work: (signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    return timeout === undefined ? work(signal) : limited(timeout, signal, work);
  }
}

const none: PublishOptions = {};

function checkPublishOptions(options: PublishOptions): void {
  if (options === none) return;
  checkNames('options', options, ['signal', 'timeout']);
  checkSignal('signal', options.signal);
}

async function limited<T>(
  timeout: Duration,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using limit = deadline(duration(timeout, { name: 'timeout', least: 1 }), signal);
  return await work(limit.signal);
}
