import { backoff, type QuorateError } from '@quorate/core';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { Appended } from '../appender.ts';
import type { RecordBatch } from '../record.ts';
import { neverSent } from './connections.ts';
import { Answer, failure, reasonOf } from './failure.ts';
import type { Broker } from './kafkajs-package.ts';
import type { Link } from './link.ts';
import { toMessage } from './message.ts';
import { type Identity, isOpen, keyOf, newParcel, type Parcel, topicsOf } from './parcel.ts';
import { race } from './race.ts';
import { nameOf } from './reasons.ts';

/** A topic that was made just now is not known to every broker at once. */
const newTopicWithin = 5_000;

/** Nothing was written, and the next attempt may do better. */
const refusedForNow: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_ENOUGH_REPLICAS',
  'CONCURRENT_TRANSACTIONS',
  'THROTTLING_QUOTA_EXCEEDED',
]);

/** It may be there already, and stay. The next attempt settles it. */
const unsettled: ReadonlySet<string> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'KAFKA_STORAGE_ERROR',
  'REPLICA_NOT_AVAILABLE',
]);

/** The broker has forgotten what was written before, and has refused this. */
const forgotten: ReadonlySet<string> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_ID_MAPPING',
]);

/**
 * Sends batches of one producer until each is written once, or refused, or the time is up. The producer of the package loses the
 * batches of a leader that moves to a broker which has answered already, takes running numbers back after an unknown outcome, so
 * that other records pass for a repetition, and tells of many refusals the first one.
 */
export class Delivery {
  readonly #link: Link;
  #identity: Identity;
  #sequences = new Map<string, number>();
  /** Partitions where something may be that nobody knows of: what comes next could be taken for it. */
  readonly #spoiled = new Set<string>();
  /** Gives a new identity when the broker has forgotten this one. A transaction cannot change its own. */
  readonly #renew: (() => Promise<Identity>) | undefined;

  constructor(link: Link, identity: Identity, renew?: () => Promise<Identity>) {
    this.#link = link;
    this.#identity = identity;
    this.#renew = renew;
  }

  /** Whether something may be written that nobody knows of. */
  get spoiled(): boolean {
    return this.#spoiled.size > 0;
  }

  /** Never rejects. */
  async deliver(batches: readonly RecordBatch[], limit: AbortSignal): Promise<readonly Appended[]> {
    const parcels = batches.map((batch) => this.#parcel(batch));
    const delays = backoff({ min: 20, max: 500 });
    const began = performance.now();
    for (let waiting = parcels.filter(isOpen); waiting.length > 0 && !limit.aborted; ) {
      try {
        await race(this.#round(waiting), limit);
        if (performance.now() - began > newTopicWithin) for (const parcel of waiting) this.#giveUpUnknownTopic(parcel);
        waiting = parcels.filter(isOpen);
        if (waiting.length === 0) break;
        await delays.wait({ signal: limit });
        await race(this.#prepare(waiting), limit);
      } catch {
        // Out of time, or the cluster could not be looked at: the next round says.
      }
    }
    return parcels.map((parcel) => this.#settle(parcel));
  }

  #parcel(batch: RecordBatch): Parcel {
    const parcel = newParcel(batch, this.#identity);
    if (this.#spoiled.has(keyOf(batch))) parcel.outcome = { error: new StreamClosedError('the appender') };
    else this.#number(parcel);
    return parcel;
  }

  #number(parcel: Parcel): void {
    const key = keyOf(parcel.batch);
    parcel.identity = this.#identity;
    parcel.sequence = this.#sequences.get(key) ?? 0;
    // It goes on at 0 after the largest 32-bit number.
    this.#sequences.set(key, (parcel.sequence + parcel.batch.records.length) % 2 ** 31);
  }

  /** One attempt for each. */
  async #round(parcels: readonly Parcel[]): Promise<void> {
    const strange = parcels.filter(({ batch }) => !this.#link.knows(batch.topic));
    if (strange.length > 0) await this.#link.look(topicsOf(strange));
    const byLeader = Map.groupBy(parcels, ({ batch }) => this.#link.leader(batch.topic, batch.partition));
    for (const parcel of byLeader.get(undefined) ?? []) this.#withoutLeader(parcel);
    await Promise.all([...byLeader].map(([leader, of]) => leader !== undefined && this.#send(leader, of)));
  }

  #withoutLeader(parcel: Parcel): void {
    const { topic, partition } = parcel.batch;
    const { errorCode, partitions } = this.#link.topic(topic);
    if (errorCode !== 0 && errorCode !== 5) this.#answered(parcel, errorCode);
    else this.#answered(parcel, partitions.size > 0 && !partitions.has(partition) ? 3 : 5);
  }

  async #send(leader: number, parcels: readonly Parcel[]): Promise<void> {
    let broker: Broker;
    try {
      broker = await this.#link.broker(leader);
    } catch (error) {
      for (const parcel of parcels) {
        parcel.last = error;
        // Who is not let in is not let in the next time.
        if (this.#failure(parcel).code === 'authentication-failed') this.#refuse(parcel);
      }
      return;
    }
    // Those of an earlier identity go apart.
    for (const [identity, of] of Map.groupBy(parcels, (parcel) => parcel.identity))
      await this.#produce(broker, identity, of);
  }

  async #produce(broker: Broker, identity: Identity, parcels: readonly Parcel[]): Promise<void> {
    const byTopic = Map.groupBy(parcels, ({ batch }) => batch.topic);
    const topicData = [...byTopic].map(([topic, of]) => ({
      topic,
      partitions: of.map(({ batch, sequence }) => ({
        partition: batch.partition,
        firstSequence: sequence,
        messages: batch.records.map(toMessage),
      })),
    }));
    for (const parcel of parcels) parcel.flying = true;
    try {
      // The broker answers before the request counts as lost here.
      const timeout = Math.ceil(this.#link.settings.requestTimeout * 0.8);
      const { topics } = await broker.produce({ ...identity, acks: -1, timeout, topicData });
      for (const parcel of parcels) {
        const { topic, partition } = parcel.batch;
        const answer = topics
          .find(({ topicName }) => topicName === topic)
          ?.partitions.find((other) => other.partition === partition);
        parcel.flying = false;
        if (!answer) parcel.doubt = true;
        else if (answer.errorCode === 0) parcel.outcome = { offset: BigInt(answer.baseOffset) };
        else this.#answered(parcel, answer.errorCode);
      }
    } catch (error) {
      for (const parcel of parcels) {
        parcel.flying = false;
        parcel.last = error;
        if (!neverSent(error)) parcel.doubt = true;
      }
    }
  }

  /** A refusal, or an answer that settles nothing. */
  #answered(parcel: Parcel, code: number): void {
    const reason = nameOf(code);
    parcel.last = new Answer(code);
    if (unsettled.has(reason)) parcel.doubt = true;
    else if (forgotten.has(reason) && this.#renew && !parcel.doubt) return;
    else if (!refusedForNow.has(reason)) this.#refuse(parcel);
  }

  #refuse(parcel: Parcel): void {
    const error = this.#failure(parcel);
    parcel.outcome = { error };
    if (error.happened !== 'no') this.#spoiled.add(keyOf(parcel.batch));
    // Nothing was written under these numbers: the next batch takes them.
    else if (parcel.identity === this.#identity) this.#sequences.set(keyOf(parcel.batch), parcel.sequence);
  }

  #giveUpUnknownTopic(parcel: Parcel): void {
    if (isOpen(parcel) && !parcel.doubt && reasonOf(parcel.last) === 'UNKNOWN_TOPIC_OR_PARTITION') this.#refuse(parcel);
  }

  #failure({ batch: { topic }, identity: { transactionalId }, last, doubt, flying }: Parcel): QuorateError {
    const asked = { what: `publish to "${topic}"`, topic, ...(transactionalId !== undefined && { transactionalId }) };
    const reason = reasonOf(last) ?? '';
    // What a broker refuses for now is known not to be there; of other answers that are no refusals nobody knows.
    const nothing = refusedForNow.has(reason) || (forgotten.has(reason) && this.#renew !== undefined);
    return failure(last, asked, { doubt: doubt || flying, writes: !nothing });
  }

  #settle(parcel: Parcel): Appended {
    if (!parcel.outcome) this.#refuse(parcel);
    return parcel.outcome as Appended;
  }

  /** Before the next round: who leads now, and under which identity what was forgotten is sent again. */
  async #prepare(waiting: readonly Parcel[]): Promise<void> {
    await this.#link.look(topicsOf(waiting));
    const again = waiting.filter(({ last }) => forgotten.has(reasonOf(last) ?? ''));
    if (again.length === 0 || !this.#renew) return;
    if (again.some(({ identity }) => identity === this.#identity)) {
      this.#identity = await this.#renew();
      this.#sequences = new Map();
    }
    for (const parcel of again) this.#number(parcel);
  }
}
