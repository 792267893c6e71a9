import type { Component, Health } from '@quorate/core';
import { combinedHealth } from '@quorate/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Connection } from './connection.ts';
import { checkStreamOptions, type StreamOptions } from './stream-options.ts';
import { Topic } from './topic/topic.ts';
import { checkTopicOptions, type TopicOptions, type ValueSchema } from './topic/topic-options.ts';
import type { Versions } from './topic/versions.ts';

type KeyOf<Key> = Key extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<Key> : string | null;
type InputOf<Value> =
  Value extends Versions<infer Input, unknown>
    ? Input
    : Value extends StandardSchemaV1
      ? StandardSchemaV1.InferInput<Value>
      : unknown;
type OutputOf<Value> =
  Value extends Versions<unknown, infer Output>
    ? Output
    : Value extends StandardSchemaV1
      ? StandardSchemaV1.InferOutput<Value>
      : unknown;

/**
 * Topics on Kafka.
 *
 *     await using stream = new Stream({ brokers: '127.0.0.1:9092' });
 *     const rides = stream.topic('taxi.rides', { value: Ride, partitions: 6 });
 *     await rides.create();
 *     await rides.publish({ key: ride.cab, value: ride });
 *
 * It connects when it is first used; `start` does so at once, and says when no broker can be reached.
 */
export class Stream implements Component, AsyncDisposable {
  readonly name: string;
  readonly #connection: Connection;

  constructor(options: StreamOptions) {
    const settings = checkStreamOptions(options);
    this.name = settings.name;
    this.#connection = new Connection(settings);
  }

  topic<Key extends StandardSchemaV1<string> = never, Value extends ValueSchema = never>(
    name: string,
    options: TopicOptions<Key, Value> = {},
  ): Topic<
    [Key] extends [never] ? string | null : KeyOf<Key>,
    [Value] extends [never] ? unknown : OutputOf<Value>,
    [Value] extends [never] ? unknown : InputOf<Value>
  > {
    const settings = checkTopicOptions(name, options as TopicOptions<StandardSchemaV1<string>, ValueSchema>);
    return new Topic(settings, this.#connection);
  }

  /** Resolves when a broker has answered. */
  async start(signal: AbortSignal): Promise<void> {
    const { driver } = await this.#connection.open();
    await driver.admin.topics(AbortSignal.any([signal, this.#connection.over]));
  }

  /** Stops its consumers as `consumer.stop` does, sends what waits to be sent, and closes every connection. Idempotent. */
  async stop(): Promise<void> {
    await this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  health(): Health {
    if (this.#connection.isClosed) return { status: 'fail', detail: 'the stream was stopped' };
    const consumers = [...this.#connection.consumers];
    return combinedHealth(Object.fromEntries(consumers.map((consumer) => [consumer.group, consumer.health()])));
  }
}
