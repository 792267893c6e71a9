import type { Health } from '@quorate/core';
import type { Opened } from '../connection.ts';
import { offsetCommits } from '../consuming/commits.ts';
import { type ConsumeOptions, checkConsumeOptions } from '../consuming/consume-options.ts';
import { Consumer } from '../consuming/consumer.ts';
import { noStats } from '../consuming/stats.ts';
import { type HandlerContext, Treatment } from '../consuming/treatment.ts';
import type { PartitionReader } from '../driver/partition-reader.ts';
import type { Message } from '../topic/message.ts';
import type { Exchange } from './exchange.ts';
import { Replies, type ResponderHandler } from './replies.ts';

/** What a responder has in common with every consumer. */
export type ResponderOptions<Request, Reply, Progress> = Pick<
  ConsumeOptions<unknown, unknown>,
  'group' | 'concurrency' | 'sessionTimeout' | 'handOver' | 'drain' | 'signal'
> & {
  /** Its result is the reply. What it throws is told to the requester: the code and the message. */
  readonly handler: ResponderHandler<Request, Reply, Progress>;
};

/** Handles requests as a member of a group, until it is stopped. Made by `stream.responder`. */
export class Responder implements AsyncDisposable {
  readonly consumer: Consumer;
  readonly #cancels: PartitionReader;
  readonly #replies: Replies;
  readonly #stopped = Promise.withResolvers<void>();

  /** Resolves when it is a member of its group. */
  static async start(
    exchange: Exchange,
    opened: Opened,
    { handler, ...options }: ResponderOptions<unknown, unknown, unknown>,
    signal: AbortSignal,
  ): Promise<Responder> {
    const replies = new Replies(exchange, opened, handler);
    const settings = checkConsumeOptions({
      ...options,
      handler: (message: Message, context: HandlerContext) => replies.to(message, context),
    });
    const { driver } = opened;
    await exchange.create(driver.admin, signal);
    const from = await driver.admin.offsets(exchange.cancels, 'latest', signal);
    const cancels = await driver.readPartitions(
      { topic: exchange.cancels, from, signal },
      {
        records: (_, records) => {
          for (const record of records) replies.cancel(record);
        },
        missed: () => {},
        trouble: () => {},
      },
    );
    const stats = { ...noStats };
    const treatment = new Treatment({
      codec: exchange.request,
      handler: settings.handler,
      retry: settings.retry,
      burial: replies,
      seen: undefined,
      fences: undefined,
      later: undefined,
      transactional: false,
      group: settings.group,
      tracing: opened.tracing,
      stats,
    });
    try {
      const consumer = await Consumer.start(
        driver,
        [exchange.name],
        settings,
        { treatment, stats, guards: [], commits: offsetCommits },
        signal,
      );
      return new Responder(consumer, cancels, replies);
    } catch (error) {
      await cancels.stop();
      throw error;
    }
  }

  private constructor(consumer: Consumer, cancels: PartitionReader, replies: Replies) {
    this.consumer = consumer;
    this.#cancels = cancels;
    this.#replies = replies;
  }

  stats(): { readonly replied: number; readonly failed: number; readonly cancelled: number; readonly expired: number } {
    return { ...this.#replies.counts };
  }

  get name(): string {
    return this.consumer.name;
  }

  /** Resolves when it has stopped. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  health(): Health {
    const health = this.consumer.health();
    const { trouble } = this.#replies;
    if (health.status !== 'pass' || !trouble) return health;
    return { status: 'warn', detail: `replies cannot be written: ${trouble.message}` };
  }

  /** Finishes what is under way, as a consumer does. Idempotent. */
  async stop(): Promise<void> {
    await this.consumer.stop();
    await this.#cancels.stop();
    this.#stopped.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
