import { checkNames } from '@quorate/core';
import type { Admin } from '../driver/admin.ts';
import { Codec } from '../topic/codec.ts';
import { json } from '../topic/format.ts';
import { checkTopicName, checkTopicOptions, type TopicSettings, type ValueSchema } from '../topic/topic-options.ts';

/** What requesters and responders of one name have to agree on. */
export interface ExchangeOptions<Request extends ValueSchema, Reply extends ValueSchema, Progress extends ValueSchema> {
  readonly request?: Request;
  readonly reply?: Reply;
  /** What a responder may tell before it replies. */
  readonly progress?: Progress;
  /** Of its topics, where they are not there yet. Default 6. */
  readonly partitions?: number;
  readonly replication?: number;
}

/** Replies and cancellations are of no use to anybody soon. */
const keptFor = 3_600_000;

/** Three topics: for requests, for what is replied to them, and for those that are cancelled. */
export class Exchange {
  readonly name: string;
  readonly replies: string;
  readonly cancels: string;
  readonly request: Codec;
  readonly reply: Codec;
  readonly progress: Codec;
  readonly #topics: readonly TopicSettings[];

  constructor(name: string, options: ExchangeOptions<ValueSchema, ValueSchema, ValueSchema>) {
    this.name = checkTopicName(name);
    this.replies = `${name}.replies`;
    this.cancels = `${name}.cancels`;
    const { partitions = 6, replication, request, reply, progress } = options;
    const shape = { partitions, ...(replication !== undefined && { replication }) };
    const soon = { ...shape, retention: keptFor };
    this.#topics = [
      checkTopicOptions(name, shape),
      checkTopicOptions(this.replies, soon),
      checkTopicOptions(this.cancels, { ...soon, partitions: 1 }),
    ];
    const codec = (topic: string, value: ValueSchema | undefined): Codec =>
      new Codec(topic, undefined, checkTopicOptions(topic, value === undefined ? {} : { value }).versions, json);
    this.request = codec(name, request);
    this.reply = codec(this.replies, reply);
    this.progress = codec(this.replies, progress);
  }

  /** Makes the topics that are not there. */
  async create(admin: Admin, signal: AbortSignal): Promise<void> {
    for (const { name, shape } of this.#topics)
      if (!(await admin.leaders(name, signal))) await admin.createTopic(name, shape, signal);
  }
}

const exchangeNames: readonly string[] = ['request', 'reply', 'progress', 'partitions', 'replication'];

export function checkExchange(
  options: ExchangeOptions<ValueSchema, ValueSchema, ValueSchema>,
  further: readonly string[] = [],
): void {
  checkNames('options', options, [...exchangeNames, ...further]);
}
