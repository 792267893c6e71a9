import { isQuorateError, type QuorateError } from '@quorate/core';
import { givenUp, handles } from '../diagnostics.ts';
import type { TopicPartition } from '../driver/record.ts';
import { textOf } from '../errors/text-of.ts';
import type { Codec } from '../topic/codec.ts';
import { isMark, publishedBy } from '../topic/headers.ts';
import type { Message } from '../topic/message.ts';
import type { Tracing } from '../tracing.ts';
import type { Burial } from './burial.ts';
import type { Dead, Entry, Outcome } from './entry.ts';
import type { Fences } from './fences.ts';
import type { Later } from './later.ts';
import { originOf } from './origin.ts';
import type { RecordLimits } from './record-limits.ts';
import { delayAfter, type Retry } from './retry.ts';
import type { Seen } from './seen.ts';
import type { ConsumerStats } from './stats.ts';
import { Gathering, noTransaction, type Transaction } from './transaction.ts';

export interface HandlerContext {
  /** Aborts when the work is not wanted any more: the partition goes to somebody else, or the time to finish it is up. */
  readonly signal: AbortSignal;
  /** Of a consumer that is `transactional`. */
  readonly transaction: Transaction;
}

export type Handler<Key, Value> = (message: Message<Key, Value>, context: HandlerContext) => unknown;

/** Whoever finds that the same message is worked on looks again after so many milliseconds. */
const untilTwinEnds = 20;

/** What a treatment is made of. */
export interface TreatmentParts {
  readonly codec: Codec;
  readonly handler: Handler<unknown, unknown>;
  readonly retry: Retry;
  /** Where messages go that are to be tried again; undefined: they stay where they are, and their key waits. */
  readonly later: Later | undefined;
  /** Undefined: what is given up is dropped. */
  readonly burial: Burial | undefined;
  /** Undefined: what comes twice is handled twice. */
  readonly seen: Seen | undefined;
  /** Undefined: fencing tokens are the handler's business. */
  readonly fences: Fences | undefined;
  /** Whether handlers publish together with their progress. */
  readonly transactional: boolean;
  /** How large that may be; undefined: it is found out later. */
  readonly limits?: RecordLimits;
  readonly group: string;
  readonly tracing: Tracing | undefined;
  readonly stats: ConsumerStats;
}

/** What is done with one message. */
export class Treatment {
  readonly #parts: TreatmentParts;
  #trouble: Error | undefined;

  constructor(parts: TreatmentParts) {
    this.#parts = parts;
  }

  /** Why dead letters could not be written last; undefined when they could. */
  get trouble(): Error | undefined {
    return this.#trouble;
  }

  /** Never rejects. At once where nothing waits: a promise for each message would cost more than many a handler. */
  of(partition: TopicPartition, entry: Entry, signal: AbortSignal): Outcome | Promise<Outcome> {
    const { codec, later, fences } = this.#parts;
    const early = later?.welcome(partition, entry) ?? 0;
    if (early > 0) return { retryIn: early };
    if (entry.dead) return this.#bury(partition, entry, signal);
    if (!entry.decoded) {
      if (isMark(partition.topic, entry.record)) return 'done';
      const decoded = codec.decode(entry.record);
      if ('poison' in decoded) {
        entry.dead = { reason: decoded.poison, error: decoded.detail };
        return this.#bury(partition, entry, signal);
      }
      entry.decoded = decoded;
    }
    const { fence } = entry.decoded;
    if (this.#isDuplicate(entry)) return 'done';
    if (fences && fence !== undefined) return this.#ifCurrent(fences, partition, entry, fence, signal);
    return this.#handle(partition, entry, signal);
  }

  /** Kafka does not take what its handler has published: it has failed after all, and is given up. Rejects when it cannot be, and stays what it was. */
  async condemn(partition: TopicPartition, entry: Entry, error: QuorateError, signal: AbortSignal): Promise<void> {
    // It is the letter that is not taken.
    if (entry.dead) throw error;
    const { outputs } = entry;
    entry.outputs = [];
    entry.failures += 1;
    entry.dead = { reason: 'unpublishable', error: textOf(error) };
    if ((await this.#bury(partition, entry, signal)) === 'done') return;
    entry.dead = undefined;
    entry.failures -= 1;
    entry.outputs = outputs;
    throw error;
  }

  /** Unless it is of a predecessor. The token is kept before the message has any effect. */
  async #ifCurrent(
    fences: Fences,
    partition: TopicPartition,
    entry: Entry,
    token: bigint,
    signal: AbortSignal,
  ): Promise<Outcome> {
    try {
      if (!(await fences.admits(partition, entry.record.key, token))) {
        this.#parts.stats.fenced += 1;
        return 'done';
      }
    } catch {
      return signal.aborted ? 'given-back' : { retryIn: 500 };
    }
    // It may have been done meanwhile.
    return this.#isDuplicate(entry) ? 'done' : this.#handle(partition, entry, signal);
  }

  #isDuplicate({ decoded }: Entry): boolean {
    const { seen, stats } = this.#parts;
    if (decoded?.id === undefined || !seen?.has(decoded.id)) return false;
    stats.duplicates += 1;
    return true;
  }

  #handle(partition: TopicPartition, entry: Entry, signal: AbortSignal): Outcome | Promise<Outcome> {
    const { handler, transactional, limits, tracing, group, seen } = this.#parts;
    const id = entry.decoded?.id;
    if (seen && id !== undefined && !seen.begin(id)) return { retryIn: untilTwinEnds };
    const gathering = transactional ? new Gathering(signal, limits) : undefined;
    const message = messageOf(partition, entry);
    const context = { signal, transaction: gathering ?? noTransaction };
    let running: PromiseLike<unknown> | undefined;
    try {
      const run = (): unknown =>
        tracing
          ? tracing.handle({ ...message, group }, async () => handler(message, context))
          : handler(message, context);
      const { topic, partition: number, offset, attempt } = message;
      const given = handles.hasSubscribers
        ? handles.tracePromise(async () => run(), { group, topic, partition: number, offset, attempt })
        : run();
      if (isPromise(given)) running = given;
    } catch (error) {
      return this.#failed(partition, entry, error, signal);
    }
    if (!running) return this.#succeeded(entry, gathering);
    return Promise.resolve(running).then(
      () => this.#succeeded(entry, gathering),
      (error: unknown) => this.#failed(partition, entry, error, signal),
    );
  }

  #succeeded(entry: Entry, gathering: Gathering | undefined): Outcome {
    const { seen, stats } = this.#parts;
    const id = entry.decoded?.id;
    if (gathering) entry.outputs = gathering.end();
    stats.handled += 1;
    if (seen && id !== undefined) {
      seen.end(id);
      seen.add(id);
    }
    return 'done';
  }

  #failed(partition: TopicPartition, entry: Entry, error: unknown, signal: AbortSignal): Outcome | Promise<Outcome> {
    const { retry, stats, seen } = this.#parts;
    if (entry.decoded?.id !== undefined) seen?.end(entry.decoded.id);
    // It was told to stop: that is no failure of the message.
    if (signal.aborted) return 'given-back';
    stats.failures += 1;
    entry.failures += 1;
    entry.dead = deathBy(error, entry.failures, retry);
    return entry.dead ? this.#bury(partition, entry, signal) : this.#again(partition, entry, signal);
  }

  async #again(partition: TopicPartition, entry: Entry, signal: AbortSignal): Promise<Outcome> {
    const { later, retry, transactional } = this.#parts;
    if (!later) return { retryIn: delayAfter(retry, entry.failures) };
    try {
      if (transactional) entry.outputs = [await later.output(partition, entry, signal)];
      else await later.add(partition, entry, signal);
      return 'done';
    } catch (error) {
      // It could not be put off. So it is tried again here, as if it had not failed; one that never can be has failed.
      if (!isQuorateError(error, 'message-too-large')) entry.failures -= 1;
      return signal.aborted ? 'given-back' : { retryIn: retry.delay };
    }
  }

  /** The message is not done with before Kafka has the dead letter: until then its key waits. */
  async #bury(partition: TopicPartition, entry: Entry, signal: AbortSignal): Promise<Outcome> {
    const { burial, stats, group } = this.#parts;
    if (givenUp.hasSubscribers) {
      const { reason = '', error = '' } = entry.dead ?? {};
      givenUp.publish({ group, ...originOf(partition, entry), reason, error, kept: burial !== undefined });
    }
    if (!burial) {
      stats.dropped += 1;
      return 'done';
    }
    try {
      await burial.add(partition, entry, signal);
      this.#trouble = undefined;
    } catch (error) {
      if (!signal.aborted) this.#trouble = error as Error;
      // A letter whose fate nobody knows is sent again: twice is better than not at all.
      return signal.aborted ? 'given-back' : { retryIn: 1_000 };
    }
    stats.deadLetters += 1;
    return 'done';
  }
}

/** As it is given to handlers. */
function messageOf(partition: TopicPartition, entry: Entry): Message<unknown, unknown> {
  const { decoded, failures, record } = entry;
  const { key, value, id, fence, headers = {} } = decoded ?? {};
  const { topic, partition: number, offset } = originOf(partition, entry);
  return {
    key,
    value,
    id,
    fence,
    headers,
    attempt: failures + 1,
    topic,
    partition: number,
    offset,
    timestamp: publishedBy(headers, record),
  };
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function';
}

function deathBy(error: unknown, failures: number, { attempts }: Retry): Dead | undefined {
  if (isQuorateError(error, 'dead-letter')) return { reason: 'rejected', error: error.message };
  if (failures >= attempts) return { reason: 'failed', error: textOf(error) };
  return undefined;
}
