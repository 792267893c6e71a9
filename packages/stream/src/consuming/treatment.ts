import { isQuorateError } from '@quorate/core';
import type { TopicPartition } from '../driver/record.ts';
import type { Codec } from '../topic/codec.ts';
import type { Message } from '../topic/message.ts';
import type { Tracing } from '../tracing.ts';
import type { Burial } from './burial.ts';
import type { Dead, Entry, Outcome } from './entry.ts';
import type { Fences } from './fences.ts';
import type { Later } from './later.ts';
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
  readonly group: string;
  readonly tracing: Tracing | undefined;
  readonly stats: ConsumerStats;
  readonly dropped: (partition: TopicPartition, entry: Entry) => void;
}

/** What is done with one message. */
export class Treatment {
  readonly #parts: TreatmentParts;

  constructor(parts: TreatmentParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async of(partition: TopicPartition, entry: Entry, signal: AbortSignal): Promise<Outcome> {
    const { codec, seen, stats, later } = this.#parts;
    const early = later?.welcome(partition, entry) ?? 0;
    if (early > 0) return { retryIn: early };
    if (entry.dead) return this.#bury(partition, entry, signal);
    if (!entry.decoded) {
      const decoded = codec.decode(entry.record);
      if ('poison' in decoded) {
        entry.dead = { reason: decoded.poison, error: decoded.detail };
        return this.#bury(partition, entry, signal);
      }
      entry.decoded = decoded;
    }
    const { id } = entry.decoded;
    if (id !== undefined && seen?.has(id)) {
      stats.duplicates += 1;
      return 'done';
    }
    try {
      if (!(await this.#isCurrent(partition, entry, entry.decoded.fence))) return 'done';
    } catch {
      return signal.aborted ? 'given-back' : { retryIn: 500 };
    }
    return this.#handle(partition, entry, entry.decoded, signal);
  }

  /** Not of a predecessor. The token is kept before the message has any effect. */
  async #isCurrent(partition: TopicPartition, { record }: Entry, token: bigint | undefined): Promise<boolean> {
    const { fences, stats } = this.#parts;
    if (!fences || token === undefined || (await fences.admits(partition, record.key, token))) return true;
    stats.fenced += 1;
    return false;
  }

  async #handle(
    partition: TopicPartition,
    entry: Entry,
    decoded: NonNullable<Entry['decoded']>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { handler, retry, seen, stats, transactional, tracing, group } = this.#parts;
    const gathering = transactional ? new Gathering() : undefined;
    const { origin, record } = entry;
    const message = { ...decoded, attempt: entry.failures + 1, ...origin, timestamp: record.timestamp };
    try {
      const context = { signal, transaction: gathering ?? noTransaction };
      if (tracing) await tracing.handle({ ...message, group }, async () => handler(message, context));
      else await handler(message, context);
      if (gathering) entry.outputs = gathering.end();
    } catch (error) {
      // It was told to stop: that is no failure of the message.
      if (signal.aborted) return 'given-back';
      stats.failures += 1;
      entry.failures += 1;
      entry.dead = deathBy(error, entry.failures, retry);
      if (entry.dead) return this.#bury(partition, entry, signal);
      return this.#again(entry, signal);
    }
    stats.handled += 1;
    if (decoded.id !== undefined) seen?.add(decoded.id);
    return 'done';
  }

  async #again(entry: Entry, signal: AbortSignal): Promise<Outcome> {
    const { later, retry, transactional } = this.#parts;
    if (!later) return { retryIn: delayAfter(retry, entry.failures) };
    try {
      if (transactional) entry.outputs = [await later.output(entry)];
      else await later.add(entry, signal);
      return 'done';
    } catch {
      // It could not be put off. So it is tried again here, as if it had not failed.
      entry.failures -= 1;
      return signal.aborted ? 'given-back' : { retryIn: retry.delay };
    }
  }

  /** The message is not done with before Kafka has the dead letter: until then its key waits. */
  async #bury(partition: TopicPartition, entry: Entry, signal: AbortSignal): Promise<Outcome> {
    const { burial, stats, dropped } = this.#parts;
    if (!burial) {
      stats.dropped += 1;
      dropped(partition, entry);
      return 'done';
    }
    try {
      await burial.add(partition, entry, signal);
    } catch {
      // A letter whose fate nobody knows is sent again: twice is better than not at all.
      return signal.aborted ? 'given-back' : { retryIn: 1_000 };
    }
    stats.deadLetters += 1;
    return 'done';
  }
}

function deathBy(error: unknown, failures: number, { attempts }: Retry): Dead | undefined {
  const told = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (isQuorateError(error, 'dead-letter')) return { reason: 'rejected', error: error.message };
  if (failures >= attempts) return { reason: 'failed', error: told };
  return undefined;
}
