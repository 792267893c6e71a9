import { AmbiguousError, type Backoff, backoff, type QuorateError, sleep } from '@quorate/core';
import { FencedProducerError } from '../../errors/fenced-producer-error.ts';
import { KafkaUnreachableError } from '../../errors/kafka-unreachable-error.ts';
import { RefusedError } from '../../errors/refused-error.ts';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import { UnknownTopicError } from '../../errors/unknown-topic-error.ts';
import { type Cluster, newsTakes } from './cluster.ts';
import { Again, complaint } from './failure.ts';
import type { Identity, Parcel } from './parcel.ts';
import { nameOf } from './protocol/error-names.ts';
import { type ProduceAsk, produce } from './protocol/produce.ts';
import { encodeBatch } from './protocol/record-batch.ts';

export interface DeliveryOptions {
  readonly cluster: Cluster;
  readonly transactionalId?: string;
  /** Another identity for a batch which the broker has refused to place after those that it has of this one. Without it that is an error. */
  readonly renew?: (signal: AbortSignal) => Promise<Identity>;
}

/** After these nobody knows whether the leader, or some replica, has kept the batch. */
const doubtful: ReadonlySet<string> = new Set([
  'KAFKA_STORAGE_ERROR',
  'NETWORK_EXCEPTION',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  // Also the answer of a leader that was replaced while it waited for its replicas.
  'NOT_LEADER_OR_FOLLOWER',
  'REQUEST_TIMED_OUT',
]);

const outOfOrder: ReadonlySet<string> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
]);

/** Takes parcels to the leaders of their partitions, again and again, each until its outcome is known or the time is up. */
export class Delivery {
  readonly #cluster: Cluster;
  readonly #transactionalId: string | undefined;
  readonly #renew: DeliveryOptions['renew'];
  readonly #signal: AbortSignal;
  readonly #unknownSince: Map<string, number> = new Map();
  readonly #failures: Map<Parcel, QuorateError> = new Map();
  readonly #pauses: Map<Parcel, Backoff> = new Map();
  /** Those that need another identity. */
  readonly #strange: Set<Parcel> = new Set();

  /** `signal` ends it: what is not known by then is not known. */
  constructor({ cluster, transactionalId, renew }: DeliveryOptions, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#transactionalId = transactionalId;
    this.#renew = renew;
    this.#signal = signal;
  }

  async deliver(parcels: readonly Parcel[]): Promise<void> {
    try {
      await this.#pursue(parcels);
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    }
    for (const parcel of parcels) parcel.outcome ??= { error: this.#givenUp(parcel) };
  }

  /** Each leader by itself: one that does not answer keeps nobody waiting but its own. */
  async #pursue(parcels: readonly Parcel[]): Promise<void> {
    const groups = Map.groupBy(parcels, ({ batch: { topic, partition } }) => {
      const leader = this.#cluster.plan(topic)?.leaders[partition] ?? -1;
      return this.#cluster.address(leader) ? leader : -1;
    });
    await Promise.all(
      [...groups].map(async ([leader, group]) => {
        if (leader >= 0) await this.#attempt(leader, group);
        const left = group.filter(({ outcome }) => !outcome);
        if (left.length === 0) return;
        if (leader >= 0) await this.#pause(left);
        await this.#look(left, leader < 0);
        await this.#rename(left);
        await this.#pursue(left.filter(({ outcome }) => !outcome));
      }),
    );
  }

  async #rename(parcels: readonly Parcel[]): Promise<void> {
    for (const parcel of parcels) {
      if (!this.#renew || !this.#strange.has(parcel)) continue;
      try {
        parcel.identity = await this.#renew(this.#signal);
        parcel.sequence = 0;
        this.#strange.delete(parcel);
      } catch (error) {
        this.#failed([parcel], error);
      }
    }
  }

  async #look(parcels: readonly Parcel[], pause: boolean): Promise<void> {
    const topics = [...new Set(parcels.map(({ batch }) => batch.topic))];
    const what = whatOf(topics.join('", "'));
    try {
      const plans = await this.#cluster.look(topics, { what, signal: this.#signal });
      for (const parcel of parcels) {
        const { topic, partition } = parcel.batch;
        const plan = plans.get(topic);
        const failure = this.#cluster.unplanned(topic);
        if (!plan && !(failure instanceof UnknownTopicError)) this.#failed([parcel], failure);
        else if (!plan || partition >= plan.leaders.length) this.#unknown(parcel);
        else if (plan.leaders[partition] !== -1) this.#unknownSince.delete(topic);
        else this.#failures.set(parcel, new KafkaUnreachableError(whatOf(topic), { cause: new Error('no leader') }));
      }
      const lost = ({ batch: { topic, partition } }: Parcel): boolean =>
        (plans.get(topic)?.leaders[partition] ?? -1) < 0;
      if (!pause || !parcels.some((parcel) => !parcel.outcome && lost(parcel))) return;
    } catch (error) {
      this.#failed(parcels, error);
    }
    await this.#pause(parcels.filter(({ outcome }) => !outcome));
  }

  async #attempt(leader: number, parcels: readonly Parcel[]): Promise<void> {
    const { connections, settings } = this.#cluster;
    const [first] = parcels;
    const address = this.#cluster.address(leader);
    if (!first || !address) return;
    const before = parcels.map(({ doubt }) => doubt);
    const sent = (): void => {
      for (const parcel of parcels) parcel.doubt = true;
    };
    // Brokers give up earlier than we do: their word that it took too long is better than none.
    const patience = Math.ceil(settings.requestTimeout * 0.8);
    const topics = this.#topicsOf(parcels);
    try {
      const asking = { what: whatOf(first.batch.topic), signal: this.#signal, sent };
      const ask = { transactionalId: this.#transactionalId ?? null, timeoutMs: patience, topics };
      const answer = await connections.ask(address, produce, ask, asking);
      for (const [i, parcel] of parcels.entries()) {
        const { topic, partition } = parcel.batch;
        const part = answer.responses
          .find(({ name }) => name === topic)
          ?.partitions.find(({ index }) => index === partition);
        if (part) this.#heard(parcel, nameOf(part.errorCode), part.baseOffset, before[i] === true);
      }
    } catch (error) {
      this.#failed(parcels, error);
    }
  }

  #topicsOf(parcels: readonly Parcel[]): ProduceAsk['topics'] {
    const transactional = this.#transactionalId !== undefined;
    return [...Map.groupBy(parcels, ({ batch }) => batch.topic)].map(([name, theirs]) => ({
      name,
      partitions: theirs.map(({ batch: { partition: index, records }, identity, sequence: baseSequence }) => {
        const { id: producerId, epoch: producerEpoch } = identity;
        return { index, batch: encodeBatch({ records, producerId, producerEpoch, baseSequence, transactional }) };
      }),
    }));
  }

  #heard(parcel: Parcel, reason: string, offset: bigint, doubtBefore: boolean): void {
    const { topic } = parcel.batch;
    const what = whatOf(topic);
    if (reason === 'NONE') {
      parcel.outcome = { offset };
      return;
    }
    const cause = new Error(reason);
    if (reason === 'DUPLICATE_SEQUENCE_NUMBER') {
      parcel.outcome = { error: new AmbiguousError(`${what}: it was written, and nobody knows where`, { cause }) };
      return;
    }
    if (doubtful.has(reason)) return;
    // This attempt has written nothing. An earlier one may have.
    parcel.doubt = doubtBefore;
    if (reason === 'UNKNOWN_TOPIC_OR_PARTITION' || reason === 'UNKNOWN_TOPIC_ID') {
      this.#unknown(parcel);
      return;
    }
    if (this.#renew && outOfOrder.has(reason) && !doubtBefore) {
      this.#strange.add(parcel);
      return;
    }
    const transactionalId = this.#transactionalId ?? '';
    const failure = complaint(reason, { what, topic, transactionalId });
    if (failure instanceof Again) this.#failures.set(parcel, failure.failure);
    else if (failure.retryable) this.#failures.set(parcel, failure);
    // Whatever a fenced one has written is aborted.
    else if (transactionalId && failure instanceof FencedProducerError) parcel.outcome = { error: failure };
    else {
      parcel.doubt ||= failure.happened === 'unknown';
      parcel.outcome = { error: doubtBefore ? unknown(what, failure) : failure };
    }
  }

  #failed(parcels: readonly Parcel[], error: unknown): void {
    if (this.#signal.aborted) throw error;
    for (const parcel of parcels) {
      if (parcel.outcome) continue;
      if (error instanceof Again) this.#failures.set(parcel, error.failure);
      else if (parcel.doubt) parcel.outcome = { error: unknown(whatOf(parcel.batch.topic), error) };
      else parcel.outcome = { error: error as QuorateError };
    }
  }

  #unknown(parcel: Parcel): void {
    const { topic, partition } = parcel.batch;
    const since = this.#unknownSince.get(topic) ?? performance.now();
    this.#unknownSince.set(topic, since);
    const failure =
      partition < (this.#cluster.plan(topic)?.leaders.length ?? Infinity)
        ? new UnknownTopicError(topic)
        : new RefusedError(whatOf(topic), 'UNKNOWN_TOPIC_OR_PARTITION');
    this.#failures.set(parcel, failure);
    if (performance.now() - since < newsTakes) return;
    parcel.outcome = { error: parcel.doubt ? unknown(whatOf(topic), failure) : failure };
  }

  #givenUp(parcel: Parcel): QuorateError {
    const what = whatOf(parcel.batch.topic);
    const { reason } = this.#signal;
    const closed = reason instanceof StreamClosedError ? reason : undefined;
    const failure = closed ?? this.#failures.get(parcel) ?? new KafkaUnreachableError(what);
    return parcel.doubt ? unknown(what, failure) : failure;
  }

  async #pause(parcels: readonly Parcel[]): Promise<void> {
    let longest = 0;
    for (const parcel of parcels) {
      const pauses = this.#pauses.get(parcel) ?? backoff({ min: 20, max: 500 });
      this.#pauses.set(parcel, pauses);
      longest = Math.max(longest, pauses.next());
    }
    await sleep(longest, { signal: this.#signal });
  }
}

function whatOf(topic: string): string {
  return `publish to "${topic}"`;
}

function unknown(what: string, cause: unknown): AmbiguousError {
  return new AmbiguousError(`${what}: the broker did not answer, and it may have been written`, { cause });
}
