import { isQuorateError, type QuorateError } from '@quorate/core';
import type { Appended } from '../driver/appender.ts';
import type { Driver } from '../driver/driver.ts';
import type { KafkaRecord, RecordBatch } from '../driver/record.ts';
import { RefusedError } from '../errors/refused-error.ts';
import { StreamClosedError } from '../errors/stream-closed-error.ts';
import { CurrentAppender } from './current-appender.ts';
import type { Layout } from './layout.ts';
import { PartitionQueue } from './partition-queue.ts';
import { Pending, type Told } from './pending.ts';
import { Room } from './room.ts';

export interface PublisherSettings {
  /** How much may wait to be sent before callers wait, in bytes. */
  readonly maxBufferedBytes: number;
  /** A batch of one partition has no more, unless it is a single message. */
  readonly batchBytes: number;
  /** How long a message waits for others to go with it, in milliseconds. */
  readonly linger: number;
}

/** For these a broker refuses a batch because of one message in it: one without a key for a compacted topic, or of a time that is too far away. */
export const ofOneMessage: ReadonlySet<string> = new Set(['INVALID_RECORD', 'INVALID_TIMESTAMP']);

/** So many batches go in one request at most. */
const batchesInRequest = 64;

/**
 * Sends records in batches. To each broker one request is on its way at a time; what comes meanwhile goes with the next one. So batches grow with the
 * load by themselves, and the order within a partition is the order of the calls.
 */
export class Publisher {
  readonly #layout: Layout;
  readonly #settings: PublisherSettings;
  readonly #appender: CurrentAppender;
  readonly #room: Room<Pending>;
  readonly #queues = new Map<string, PartitionQueue>();
  /** Those with something to send, and nothing on its way. */
  readonly #ready = new Set<PartitionQueue>();
  readonly #busyBrokers = new Set<number>();
  #scheduled = false;
  #closed = false;
  #trouble: QuorateError | undefined;
  #idle: (() => void) | undefined;

  constructor(driver: Driver, layout: Layout, settings: PublisherSettings) {
    this.#layout = layout;
    this.#settings = settings;
    // A caller's signal ends the caller's wait, not what all callers share.
    const never = new AbortController().signal;
    this.#appender = new CurrentAppender(() => driver.appender({ signal: never }));
    this.#room = new Room(settings.maxBufferedBytes, (pending) => this.#enqueue(pending));
  }

  /** Why nothing could be sent last; undefined when it could. A message that is refused for itself is no trouble. */
  get trouble(): QuorateError | undefined {
    return this.#trouble;
  }

  /** What waits to be sent, or to be let in. */
  get waiting(): { readonly bytes: number; readonly callers: number } {
    return { bytes: this.#room.taken, callers: this.#room.outside };
  }

  /** Resolves with its offset. Rejects with `ambiguous` when nobody knows whether it was written. */
  publish(topic: string, partition: number, record: KafkaRecord, signal?: AbortSignal): Promise<bigint> {
    return new Promise((resolve, reject) => {
      this.post(topic, partition, record, signal, (error, offset) => {
        if (offset === undefined) reject(error);
        else resolve(offset);
      });
    });
  }

  /** The same for many: `told` is called once for each, and does not throw. */
  post(topic: string, partition: number, record: KafkaRecord, signal: AbortSignal | undefined, told: Told): void {
    if (this.#closed) {
      told(new StreamClosedError('the stream'), undefined);
      return;
    }
    if (signal?.aborted) {
      told(signal.reason, undefined);
      return;
    }
    const pending = new Pending(topic, partition, record, told);
    if (signal) pending.until(signal, () => this.#room.giveUp(pending));
    this.#room.enter(pending);
  }

  /** Takes nothing more, and resolves when all that was taken has been sent, or has failed. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#busyBrokers.size > 0 || this.#ready.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const before = this.#idle;
      this.#idle = () => {
        before?.();
        resolve();
      };
      await promise;
    }
    await this.#appender.close();
  }

  #enqueue(pending: Pending): void {
    const { topic, partition } = pending;
    const name = `${topic} ${partition}`;
    let queue = this.#queues.get(name);
    if (!queue) {
      queue = new PartitionQueue(topic, partition, this.#settings.batchBytes);
      this.#queues.set(name, queue);
    }
    queue.push(pending);
    if (queue.sent > 0) return;
    this.#ready.add(queue);
    this.#schedule();
  }

  /** Whoever publishes in the same turn goes with the same request. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const { linger } = this.#settings;
    if (linger > 0 && !this.#closed) setTimeout(() => this.#flush(), linger);
    else queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const brokers = new Map<number, PartitionQueue[]>();
    for (const queue of this.#ready) {
      const broker = this.#leaderOf(queue);
      if (this.#busyBrokers.has(broker)) continue;
      const queues = brokers.get(broker) ?? [];
      brokers.set(broker, queues);
      if (queues.length < batchesInRequest) queues.push(queue);
    }
    for (const [broker, queues] of brokers) this.#send(broker, queues);
    if (this.#busyBrokers.size === 0 && this.#ready.size === 0) this.#idle?.();
  }

  #send(broker: number, queues: readonly PartitionQueue[]): void {
    const sent: PartitionQueue[] = [];
    const batches: RecordBatch[] = [];
    for (const queue of queues) {
      this.#ready.delete(queue);
      const batch = queue.take((pending) => this.#room.leave(pending));
      if (!batch) continue;
      sent.push(queue);
      batches.push(batch);
    }
    if (batches.length === 0) return;
    this.#busyBrokers.add(broker);
    void this.#appender.append(batches).then((outcomes) => {
      this.#busyBrokers.delete(broker);
      for (const [index, queue] of sent.entries()) this.#settle(queue, outcomes[index] as Appended);
      this.#flush();
    });
  }

  #settle(queue: PartitionQueue, { error, offset }: Appended): void {
    if (error) this.#layout.renew(queue.topic);
    if (!error || error.happened === 'unknown' || error.retryable) this.#trouble = error;
    if (isQuorateError(error, 'message-too-large') && queue.sent > 1) {
      // A topic may allow less than a batch has, though each of its messages is small enough.
      queue.split();
    } else if (error instanceof RefusedError && ofOneMessage.has(error.reason) && queue.sent > 1) {
      queue.halve();
    } else {
      let next = offset ?? 0n;
      for (const pending of queue.settle()) {
        if (error) pending.fail(error);
        else pending.done(next);
        next += 1n;
        this.#room.leave(pending);
      }
    }
    if (!queue.isEmpty) this.#ready.add(queue);
  }

  #leaderOf({ topic, partition }: PartitionQueue): number {
    return this.#layout.known(topic)?.[partition] ?? -1;
  }
}
