import { isQuorateError, sleep } from '@quorate/core';
import type { Opened } from '../connection.ts';
import type { Burial } from '../consuming/burial.ts';
import type { Entry } from '../consuming/entry.ts';
import { Seen } from '../consuming/seen.ts';
import type { KafkaRecord, ReadRecord, TopicPartition } from '../driver/record.ts';
import { RequestCancelledError } from '../errors/request-cancelled-error.ts';
import { messageOf } from '../errors/text-of.ts';
import type { Codec } from '../topic/codec.ts';
import { headerNames, headersByName } from '../topic/headers.ts';
import type { Message } from '../topic/message.ts';
import type { Exchange } from './exchange.ts';

export interface ResponderContext<Progress = unknown> {
  /** Aborts when nobody waits for the reply any more, or when the request goes to another responder. */
  readonly signal: AbortSignal;
  /** Tells the requester how far it is. Resolves when Kafka has it; there is no need to wait for that. */
  readonly progress: (progress: Progress) => Promise<void>;
  readonly message: Message;
}

export type ResponderHandler<Request, Reply, Progress> = (
  request: Request,
  context: ResponderContext<Progress>,
) => Reply | Promise<Reply>;

/** Who asked, and until when it waits. */
interface Asker {
  readonly correlation: string;
  readonly replyTo: number;
  readonly until: number;
}

/** So many cancellations of requests are remembered that have not begun. */
const rememberedCancels = 10_000;

/** Replies to the requests that its consumer gives it. */
export class Replies implements Burial {
  readonly #exchange: Exchange;
  readonly #opened: Opened;
  readonly #handler: ResponderHandler<unknown, unknown, unknown>;
  readonly #running = new Map<string, AbortController>();
  readonly #cancelled = new Seen(rememberedCancels);
  readonly counts = { replied: 0, failed: 0, cancelled: 0, expired: 0 };
  #trouble: Error | undefined;

  constructor(exchange: Exchange, opened: Opened, handler: ResponderHandler<unknown, unknown, unknown>) {
    this.#exchange = exchange;
    this.#opened = opened;
    this.#handler = handler;
  }

  /** Why a requester could not be told anything last; undefined when it could. */
  get trouble(): Error | undefined {
    return this.#trouble;
  }

  /** As the handler of a consumer. One that gives nothing replies with null. */
  async to(message: Message, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const asker = await this.#askerOf(message.headers);
    // Nobody to reply to: somebody else than a requester has written it.
    if (!asker) return;
    if (Date.now() > asker.until) {
      this.counts.expired += 1;
      return;
    }
    if (this.#cancelled.has(asker.correlation)) {
      this.counts.cancelled += 1;
      return;
    }
    const controller = new AbortController();
    const stop = (): void => controller.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    this.#running.set(asker.correlation, controller);
    try {
      await this.#answer(asker, message, controller.signal, signal);
    } finally {
      this.#running.delete(asker.correlation);
      signal.removeEventListener('abort', stop);
    }
  }

  /** A request that is none: whoever asked is told. */
  async add(_: TopicPartition, { record, dead }: Entry, signal: AbortSignal): Promise<void> {
    const asker = await this.#askerOf(headersByName(record.headers));
    if (asker) await this.#fail(asker, 'invalid-message', dead?.error ?? '', signal);
  }

  cancel(record: ReadRecord): void {
    const correlation = headersByName(record.headers)[headerNames.correlation];
    if (correlation === undefined) return;
    const running = this.#running.get(correlation);
    if (running) running.abort(new RequestCancelledError());
    else this.#cancelled.add(correlation);
  }

  async #askerOf(headers: Readonly<Record<string, string>>): Promise<Asker | undefined> {
    const asker = askerOf(headers);
    return asker && (await this.#isThere(asker.replyTo)) ? asker : undefined;
  }

  /** Whether there is such a partition for replies: whoever writes to the topic can name any. */
  async #isThere(partition: number): Promise<boolean> {
    const { layout } = this.#opened;
    const topic = this.#exchange.replies;
    try {
      return partition < (await layout.of(topic)).length || partition < (await layout.fresh(topic)).length;
    } catch {
      // Nobody knows at the moment. Kafka says so when there is a reply.
      return true;
    }
  }

  async #answer(asker: Asker, message: Message, wanted: AbortSignal, ours: AbortSignal): Promise<void> {
    let reply: KafkaRecord;
    try {
      const progress = (value: unknown): Promise<void> => {
        const sent = this.#send(asker, 'progress', this.#exchange.progress, value, wanted);
        // Whoever does not wait for it does not hear that it has failed.
        sent.catch(() => {});
        return sent;
      };
      const value = await this.#handler(message.value, { signal: wanted, progress, message });
      reply = this.#exchange.reply.encode({ value: value === undefined ? null : value }).record;
    } catch (error) {
      // Another responder gets it: this one must not be the one that ends it.
      if (ours.aborted) throw error;
      if (wanted.aborted) this.counts.cancelled += 1;
      else await this.#fail(asker, isQuorateError(error) ? error.code : '', messageOf(error), ours);
      return;
    }
    if (wanted.aborted && !ours.aborted) {
      this.counts.cancelled += 1;
      return;
    }
    try {
      await this.#deliver(asker, 'reply', reply, ours);
      this.counts.replied += 1;
    } catch (error) {
      if (ours.aborted) throw error;
      // It is too large, for example: then at least that is told.
      await this.#fail(asker, isQuorateError(error) ? error.code : '', messageOf(error), ours);
    }
  }

  async #fail(asker: Asker, code: string, message: string, signal: AbortSignal): Promise<void> {
    const value = Buffer.from(JSON.stringify({ code, message: message.slice(0, 2_000) }));
    try {
      await this.#deliver(asker, 'error', { key: null, value, headers: [], timestamp: Date.now() }, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      // Kafka takes nothing for this requester. Were it done once more, that would not change.
      this.#trouble = error as Error;
    }
    this.counts.failed += 1;
  }

  async #send(asker: Asker, kind: string, codec: Codec, value: unknown, signal: AbortSignal): Promise<void> {
    const { record } = codec.encode({ value });
    await this.#post(asker, kind, record, signal);
  }

  /** The request is not done before the reply is there, or nobody waits for it: it would be done once more. */
  async #deliver(asker: Asker, kind: string, record: KafkaRecord, signal: AbortSignal): Promise<void> {
    while (Date.now() <= asker.until) {
      try {
        await this.#post(asker, kind, record, signal);
        this.#trouble = undefined;
        return;
      } catch (error) {
        if (signal.aborted || (isQuorateError(error) && error.happened === 'no' && !error.retryable)) throw error;
      }
      await sleep(100, { signal });
    }
  }

  async #post({ correlation, replyTo }: Asker, kind: string, record: KafkaRecord, signal: AbortSignal): Promise<void> {
    const headers: KafkaRecord['headers'] = [
      ...record.headers,
      [headerNames.correlation, Buffer.from(correlation)],
      [headerNames.kind, Buffer.from(kind)],
    ];
    await this.#opened.publisher.publish(this.#exchange.replies, replyTo, { ...record, headers }, signal);
  }
}

function askerOf(headers: Readonly<Record<string, string>>): Asker | undefined {
  const { [headerNames.correlation]: correlation, [headerNames.replyTo]: to, [headerNames.deadline]: until } = headers;
  if (correlation === undefined || correlation.length > 200) return undefined;
  if (!/^\d{1,6}$/.test(to ?? '') || !/^\d{1,15}$/.test(until ?? '')) return undefined;
  return { correlation, replyTo: Number(to), until: Number(until) };
}
