import { randomBytes } from 'node:crypto';
import {
  checkNames,
  checkSignal,
  DeadlineExceededError,
  type Duration,
  deadline,
  duration,
  InvalidArgumentError,
  isQuorateError,
} from '@quorate/core';
import type { Connection, Opened } from '../connection.ts';
import type { PartitionReader } from '../driver/partition-reader.ts';
import type { KafkaRecord, ReadRecord } from '../driver/record.ts';
import { InvalidReplyError } from '../errors/invalid-reply-error.ts';
import { StreamClosedError } from '../errors/stream-closed-error.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import { headerNames, headersByName } from '../topic/headers.ts';
import { traced } from '../topic/traced.ts';
import type { Exchange } from './exchange.ts';
import { failureToldBy } from './failure-told.ts';

export interface RequestOptions<Progress = unknown> {
  /** How long to wait for the reply. Default 30 s. */
  readonly timeout?: Duration;
  /** Ends the wait; the responder is told. */
  readonly signal?: AbortSignal;
  /** Called with what the responder tells before it replies, in order. */
  readonly onProgress?: (progress: Progress) => void;
  /** Requests of one key are done in order, by one responder. Default: none. */
  readonly key?: string | number | bigint;
}

export interface RequesterStats {
  /** Requests that wait for their reply. */
  readonly pending: number;
  readonly sent: number;
  readonly replied: number;
  readonly failed: number;
  /** Replies for which nobody waited any more. */
  readonly late: number;
}

interface Waiting {
  readonly settle: (settled: { readonly reply: unknown } | { readonly error: unknown }) => void;
  /** Rejects, and tells the responder that nobody waits any more. */
  readonly abandon: (error: unknown) => void;
  readonly onProgress: ((progress: never) => void) | undefined;
}

/** The way to the responders, and the one partition of the topic for replies that this requester reads. */
interface Way extends Opened {
  readonly reader: PartitionReader;
  readonly replyTo: number;
}

/** Sends requests, and waits for the replies to them. Made by `stream.requester`. */
export class Requester<Request = unknown, Reply = unknown, Progress = unknown> implements AsyncDisposable {
  readonly name: string;
  readonly #exchange: Exchange;
  readonly #connection: Connection;
  readonly #id = randomBytes(9).toString('base64url');
  readonly #waiting = new Map<string, Waiting>();
  readonly #over = new AbortController();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #counts = { sent: 0, replied: 0, failed: 0, late: 0 };
  #way: Promise<Way> | undefined;
  #number = 0;
  #turn = 0;

  constructor(exchange: Exchange, connection: Connection) {
    this.name = exchange.name;
    this.#exchange = exchange;
    this.#connection = connection;
  }

  /**
   * Resolves with the reply. Rejects with `responder-failed` when the responder's handler failed, with `deadline-exceeded` when there was no reply in time: then the request may
   * have been done, or may yet be. A request whose responder dies goes to another one, so it can be done more than once.
   */
  async request(value: Request, options: RequestOptions<Progress> = {}): Promise<Reply> {
    checkNames('options', options, ['timeout', 'signal', 'onProgress', 'key']);
    const { signal, onProgress, key } = options;
    checkSignal('signal', signal);
    const timeout = duration(options.timeout ?? '30s', { name: 'timeout', least: 1 });
    if (onProgress !== undefined && typeof onProgress !== 'function')
      throw new InvalidArgumentError('onProgress', 'a function', onProgress);
    const { record } = this.#exchange.request.encode({ value, ...(key !== undefined && { key }) });
    if (this.#over.signal.aborted) throw this.#over.signal.reason;
    signal?.throwIfAborted();
    this.#number += 1;
    const correlation = `${this.#id}:${this.#number}`;
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        settle: (settled) => {
          limit[Symbol.dispose]();
          this.#waiting.delete(correlation);
          if ('reply' in settled) resolve(settled.reply as Reply);
          else reject(settled.error);
        },
        abandon: (error) => {
          waiting.settle({ error });
          this.#cancel(correlation);
        },
        onProgress: onProgress as Waiting['onProgress'],
      };
      const limit = deadline(timeout, signal);
      const giveUp = (): void => {
        const late = `${this.name}: no reply within ${timeout} ms`;
        waiting.abandon(signal?.aborted ? signal.reason : new DeadlineExceededError(late));
      };
      limit.signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.set(correlation, waiting);
      const until = Date.now() + timeout;
      this.#send(record, correlation, until).catch((error: unknown) => {
        const isThere = !(isQuorateError(error) && error.happened === 'no');
        if (isThere) this.#waiting.get(correlation)?.abandon(error);
        else this.#waiting.get(correlation)?.settle({ error });
      });
    });
  }

  stats(): RequesterStats {
    return { ...this.#counts, pending: this.#waiting.size };
  }

  /** Whoever waits is told that it is over, and so are the responders. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#over.signal.aborted) this.#over.abort(new StreamClosedError(`the requester of ${this.name}`));
    for (const { abandon } of this.#waiting.values()) abandon(this.#over.signal.reason);
    const way = await this.#way?.catch(() => undefined);
    await way?.reader.stop();
    this.#stopped.resolve();
  }

  /** Resolves when it has stopped. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #send(record: KafkaRecord, correlation: string, until: number): Promise<void> {
    const { publisher, layout, replyTo, tracing } = await this.#open();
    const leaders = layout.known(this.name) ?? (await layout.of(this.name));
    // Given up before it was sent.
    if (!this.#waiting.has(correlation)) return;
    const headers: KafkaRecord['headers'] = [
      ...record.headers,
      [headerNames.correlation, Buffer.from(correlation)],
      [headerNames.replyTo, Buffer.from(String(replyTo))],
      [headerNames.deadline, Buffer.from(String(until))],
    ];
    this.#counts.sent += 1;
    const to = record.key === null ? this.#next(leaders.length) : partitionOf(record.key, leaders.length);
    await traced<{ readonly partition: number; readonly offset: bigint }>(
      tracing?.send,
      { topic: this.name, id: correlation },
      { ...record, headers },
      async (request) => ({ partition: to, offset: await publisher.publish(this.name, to, request) }),
    );
  }

  /** It is of use only to those who are at it now: whether it arrives is nobody's worry. */
  #cancel(correlation: string): void {
    const headers: KafkaRecord['headers'] = [[headerNames.correlation, Buffer.from(correlation)]];
    const record = { key: null, value: Buffer.alloc(0), headers, timestamp: Date.now() };
    this.#way?.then(({ publisher }) => publisher.publish(this.#exchange.cancels, 0, record)).catch(() => {});
  }

  #open(): Promise<Way> {
    this.#way ??= this.#begin().catch((error: unknown) => {
      this.#way = undefined;
      throw error;
    });
    return this.#way;
  }

  /** Reads from where the partition ends now: no request was sent before. */
  async #begin(): Promise<Way> {
    const opened = await this.#connection.open();
    const { admin } = opened.driver;
    const signal = this.#connection.until(this.#over.signal);
    await this.#exchange.create(admin, signal);
    const topic = this.#exchange.replies;
    const ends = await admin.offsets(topic, 'latest', signal);
    const replyTo = Math.floor(Math.random() * ends.size);
    const from = new Map([[replyTo, ends.get(replyTo) ?? 0n]]);
    const reader = await opened.driver.readPartitions(
      { topic, from, signal },
      {
        records: (_, records) => {
          for (const record of records) this.#hear(record);
        },
        // Whoever waits for those that are gone waits until the timeout.
        missed: () => {},
        trouble: () => {},
      },
    );
    return { ...opened, reader, replyTo };
  }

  #hear(record: ReadRecord): void {
    const headers = headersByName(record.headers);
    const correlation = headers[headerNames.correlation] ?? '';
    // Another requester's, which has the same partition.
    if (!correlation.startsWith(`${this.#id}:`)) return;
    const waiting = this.#waiting.get(correlation);
    if (!waiting) {
      this.#counts.late += 1;
      return;
    }
    const kind = headers[headerNames.kind];
    if (kind === 'progress') this.#tell(waiting, record);
    else if (kind === 'error') this.#fail(waiting, record);
    else this.#reply(waiting, record);
  }

  #tell({ onProgress, abandon }: Waiting, record: ReadRecord): void {
    if (!onProgress) return;
    const decoded = this.#exchange.progress.decode(record);
    if ('poison' in decoded) return;
    try {
      onProgress(decoded.value as never);
    } catch (error) {
      abandon(error);
    }
  }

  #fail({ settle }: Waiting, { value }: ReadRecord): void {
    this.#counts.failed += 1;
    settle({ error: failureToldBy(this.name, value) });
  }

  #reply({ settle }: Waiting, record: ReadRecord): void {
    const decoded = this.#exchange.reply.decode(record);
    if ('poison' in decoded) {
      this.#counts.failed += 1;
      settle({ error: new InvalidReplyError(this.name, decoded.detail) });
      return;
    }
    this.#counts.replied += 1;
    settle({ reply: decoded.value });
  }

  #next(count: number): number {
    this.#turn = (this.#turn + 1) % count;
    return this.#turn;
  }
}
