import type { Component, Health } from '@quorate/core';
import { combinedHealth } from '@quorate/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Connection } from './connection.ts';
import { type ConsumeOptions, checkConsumeOptions } from './consuming/consume-options.ts';
import { Inspection } from './inspection/inspection.ts';
import { Outbox, type OutboxOptions } from './outbox/outbox.ts';
import { checkExchange, Exchange, type ExchangeOptions } from './requests/exchange.ts';
import { Requester } from './requests/requester.ts';
import { Responder, type ResponderOptions } from './requests/responder.ts';
import { checkStreamOptions, type StreamOptions } from './stream-options.ts';
import type { InputOf, KeyOf, OutputOf } from './topic/schema-types.ts';
import { Topic } from './topic/topic.ts';
import { checkTopicOptions, type TopicOptions, type ValueSchema } from './topic/topic-options.ts';

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
  ): Topic<KeyOf<Key>, OutputOf<Value>, InputOf<Value>> {
    const settings = checkTopicOptions(name, options as TopicOptions<StandardSchemaV1<string>, ValueSchema>);
    return new Topic(settings, this.#connection);
  }

  /** Sends requests over a topic, and gets the replies to them. It connects with the first request. */
  requester<
    Request extends ValueSchema = never,
    Reply extends ValueSchema = never,
    Progress extends ValueSchema = never,
  >(
    name: string,
    options: ExchangeOptions<Request, Reply, Progress> = {},
  ): Requester<InputOf<Request>, OutputOf<Reply>, OutputOf<Progress>> {
    checkExchange(options);
    const requester = new Requester(new Exchange(name, options), this.#connection);
    this.#connection.add(requester);
    return requester as Requester<InputOf<Request>, OutputOf<Reply>, OutputOf<Progress>>;
  }

  /** Replies to requests as a member of a group, which share them. Resolves when it is a member. */
  async responder<
    Request extends ValueSchema = never,
    Reply extends ValueSchema = never,
    Progress extends ValueSchema = never,
  >(
    name: string,
    options: ExchangeOptions<Request, Reply, Progress> &
      ResponderOptions<OutputOf<Request>, InputOf<Reply>, InputOf<Progress>>,
  ): Promise<Responder> {
    checkExchange(options, ['group', 'concurrency', 'sessionTimeout', 'handOver', 'drain', 'signal', 'handler']);
    const { request, reply, progress, partitions, replication, ...rest } = options;
    checkConsumeOptions(rest as unknown as ConsumeOptions<unknown, unknown>);
    const exchange = new Exchange(name, options);
    const signal = this.#connection.until(options.signal);
    const opened = await this.#connection.open();
    const parts = rest as ResponderOptions<unknown, unknown, unknown>;
    const responder = await Responder.start(exchange, opened, parts, signal);
    this.#connection.add(responder);
    return responder;
  }

  /** Publishes together with transactions of PostgreSQL. */
  outbox(options: OutboxOptions = {}): Outbox {
    return new Outbox(this.#connection, options);
  }

  /** Looks at topics, groups and dead letters. */
  inspection(): Inspection {
    return new Inspection(this.#connection);
  }

  /** Resolves when a broker has answered. */
  async start(signal: AbortSignal): Promise<void> {
    const until = this.#connection.until(signal);
    const { driver } = await this.#connection.open();
    await driver.admin.topics(until);
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
    return combinedHealth(this.#connection.health());
  }
}
