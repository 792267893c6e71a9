import { FencedProducerError } from '../../errors/fenced-producer-error.ts';
import { NotAMemberError } from '../../errors/not-a-member-error.ts';
import { UnknownTopicError } from '../../errors/unknown-topic-error.ts';
import type { TopicPartition } from '../record.ts';
import type { GroupIdentity, GroupOffset } from '../transactor.ts';
import type { Address } from '../wire.ts';
import { type Cluster, newsTakes } from './cluster.ts';
import type { Asking } from './connections.ts';
import { Again, complaint } from './failure.ts';
import { ofTheSameTopics, topicsOf } from './offsets.ts';
import type { Identity } from './parcel.ts';
import { persist } from './persist.ts';
import { nameOf } from './protocol/error-names.ts';
import { initProducerId } from './protocol/init-producer-id.ts';
import { addOffsetsToTxn, addPartitionsToTxn, endTxn, txnOffsetCommit } from './protocol/transactions.ts';

/** After these the coordinator's successor may find that the end was decided. */
const halfDone: ReadonlySet<string> = new Set([
  'COORDINATOR_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'NETWORK_EXCEPTION',
  'NOT_COORDINATOR',
  'REQUEST_TIMED_OUT',
]);

const nobody: GroupIdentity = { generation: -1, member: '' };

export interface OffsetsOfGroup {
  readonly group: string;
  readonly as: GroupIdentity | undefined;
  readonly offsets: readonly GroupOffset[];
}

/** Asks the coordinator of one transactional id, and each time until it is done, refused, or the time for a delivery is up. */
export class TransactionCoordinator {
  readonly #cluster: Cluster;
  readonly #id: string;
  readonly #timeout: number;
  #address: Address | undefined;

  /** `timeout`: after so long the coordinator aborts a transaction by itself. */
  constructor(cluster: Cluster, id: string, timeout: number) {
    this.#cluster = cluster;
    this.#id = id;
    this.#timeout = timeout;
  }

  /** Takes the id over; with the identity that one has, only from whoever had it before that. */
  async takeOver(signal: AbortSignal, { id, epoch }: Identity = { id: -1n, epoch: -1 }): Promise<Identity> {
    const what = `take over the transactional id "${this.#id}"`;
    return await this.#ask({ what, signal }, async (address, asking) => {
      const ask = {
        transactionalId: this.#id,
        transactionTimeoutMs: this.#timeout,
        producerId: id,
        producerEpoch: epoch,
      };
      const answer = await this.#cluster.connections.ask(address, initProducerId, ask, asking);
      this.#check(answer.errorCode, what);
      return { id: answer.producerId, epoch: answer.producerEpoch };
    });
  }

  async addPartitions(identity: Identity, partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    const what = `publish to "${[...new Set(partitions.map(({ topic }) => topic))].join('", "')}"`;
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, some]) => ({
      name,
      partitions: some.map(({ partition }) => partition),
    }));
    const ask = { ...this.#of(identity), topics };
    const began = performance.now();
    await this.#ask({ what, signal }, async (address, asking) => {
      const answer = await this.#cluster.connections.ask(address, addPartitionsToTxn, ask, asking);
      for (const { name: topic, resultsByPartition } of answer.resultsByTopic) {
        for (const { partitionErrorCode } of resultsByPartition) {
          const reason = nameOf(partitionErrorCode);
          // Because of another one among them, which says why.
          if (reason === 'OPERATION_NOT_ATTEMPTED') continue;
          const unknown = new UnknownTopicError(topic, { cause: new Error(reason) });
          const made = reason === 'UNKNOWN_TOPIC_OR_PARTITION' && performance.now() - began < newsTakes;
          if (made) throw new Again(unknown, reason);
          this.#check(partitionErrorCode, what, topic);
        }
      }
    });
  }

  async addGroup(identity: Identity, group: string, signal: AbortSignal): Promise<void> {
    const what = `commit for "${group}" in a transaction`;
    await this.#ask({ what, signal }, async (address, asking) => {
      const ask = { ...this.#of(identity), groupId: group };
      const answer = await this.#cluster.connections.ask(address, addOffsetsToTxn, ask, asking);
      this.#check(answer.errorCode, what);
    });
  }

  /** The coordinator of the group keeps them, and makes them valid when the transaction is committed. */
  async commitOffsets(
    identity: Identity,
    { group, as = nobody, offsets }: OffsetsOfGroup,
    signal: AbortSignal,
  ): Promise<void> {
    const what = `commit for "${group}" in a transaction`;
    const asking = { what, signal };
    const { member: memberId, generation: generationId, topics: ids } = as;
    const ask = { ...this.#of(identity), groupId: group, generationId, memberId, topics: topicsOf(offsets) };
    await this.#persist(signal, async () => {
      const [address, current] = await Promise.all([
        this.#cluster.coordinator('group', group, { what, group }, asking),
        ids ? ofTheSameTopics(this.#cluster, offsets, ids, asking) : offsets,
      ]);
      if (current.length < offsets.length) throw new NotAMemberError(group, 'its topic was deleted and made again');
      const answer = await this.#cluster.connections.ask(address, txnOffsetCommit, ask, asking);
      for (const { name: topic, partitions } of answer.topics) {
        for (const { errorCode } of partitions) this.#check(errorCode, what, topic, group);
      }
    });
  }

  /** `doubt` is told with true when it is on its way, with false when there is an answer that it was not done. */
  async end(
    identity: Identity,
    committed: boolean,
    signal: AbortSignal,
    doubt: (is: boolean) => void = () => {},
  ): Promise<void> {
    const what = `${committed ? 'commit' : 'abort'} the transaction of "${this.#id}"`;
    let [before, onItsWay] = [false, false];
    const sent = (): void => {
      onItsWay = true;
      doubt(true);
    };
    await this.#ask({ what, signal, sent }, async (address, asking) => {
      onItsWay = false;
      try {
        const ask = { ...this.#of(identity), committed };
        const answer = await this.#cluster.connections.ask(address, endTxn, ask, asking);
        doubt(before);
        this.#check(answer.errorCode, what);
      } catch (error) {
        if (onItsWay && error instanceof Again && (!error.reason || halfDone.has(error.reason))) {
          before = true;
          doubt(true);
        }
        throw error;
      }
    });
  }

  #of({ id, epoch }: Identity) {
    return { transactionalId: this.#id, producerId: id, producerEpoch: epoch };
  }

  async #ask<T>(asking: Asking, attempt: (address: Address, asking: Asking) => Promise<T>): Promise<T> {
    const { what, signal } = asking;
    const asked = { what, transactionalId: this.#id };
    return await this.#persist(signal, async () => {
      this.#address ??= await this.#cluster.coordinator('transaction', this.#id, asked, { what, signal });
      try {
        return await attempt(this.#address, asking);
      } catch (error) {
        if (error instanceof Again && error.reason !== 'CONCURRENT_TRANSACTIONS') this.#address = undefined;
        throw error;
      }
    });
  }

  async #persist<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    return await persist(attempt, { signal, unanswered: this.#cluster.settings.deliveryTimeout });
  }

  #check(code: number, what: string, topic = '', group = ''): void {
    if (code === 0) return;
    const reason = nameOf(code);
    // The id has another producer's number by now.
    if (reason === 'INVALID_PRODUCER_ID_MAPPING') throw new FencedProducerError(this.#id, { cause: new Error(reason) });
    throw complaint(reason, { what, topic, group, transactionalId: this.#id });
  }
}
