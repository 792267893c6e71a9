import { UnknownTopicError } from '../../errors/unknown-topic-error.ts';
import type { TopicPartition } from '../record.ts';
import type { GroupOffset } from '../transactor.ts';
import { type Cluster, newsTakes } from './cluster.ts';
import type { Address, Asking } from './connections.ts';
import { Again, complaint } from './failure.ts';
import { topicsOf } from './offsets.ts';
import type { Identity } from './parcel.ts';
import { persist } from './persist.ts';

/** After these the coordinator's successor may find that the end was decided. */
const halfDone: ReadonlySet<string> = new Set([
  'COORDINATOR_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'NETWORK_EXCEPTION',
  'NOT_COORDINATOR',
  'REQUEST_TIMED_OUT',
]);

const nobody = { generation: -1, member: '' } as const;

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
    const { initProducerId } = this.#cluster.connections.requests;
    return await this.#ask({ what, signal }, async (address, asking) => {
      const args: [string, number, bigint, number] = [this.#id, this.#timeout, id, epoch];
      const answer = await this.#cluster.connections.ask(address, initProducerId, args, asking);
      this.#check(answer.errorCode, what);
      return { id: answer.producerId, epoch: answer.producerEpoch };
    });
  }

  async addPartitions(
    { id, epoch }: Identity,
    partitions: readonly TopicPartition[],
    signal: AbortSignal,
  ): Promise<void> {
    const what = `publish to "${[...new Set(partitions.map(({ topic }) => topic))].join('", "')}"`;
    const { addPartitionsToTxn } = this.#cluster.connections.requests;
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, some]) => ({
      name,
      partitions: some.map(({ partition }) => partition),
    }));
    const transaction = { transactionalId: this.#id, producerId: id, producerEpoch: epoch, verifyOnly: false, topics };
    const began = performance.now();
    await this.#ask({ what, signal }, async (address, asking) => {
      const answer = await this.#cluster.connections.ask(address, addPartitionsToTxn, [[transaction]], asking);
      this.#check(answer.errorCode, what);
      for (const { name: topic, resultsByPartition } of answer.resultsByTransaction.flatMap(
        (one) => one.topicResults,
      )) {
        for (const { partitionErrorCode } of resultsByPartition) {
          const reason = this.#cluster.connections.reason(partitionErrorCode);
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

  async addGroup({ id, epoch }: Identity, group: string, signal: AbortSignal): Promise<void> {
    const what = `commit for "${group}" in a transaction`;
    const { addOffsetsToTxn } = this.#cluster.connections.requests;
    await this.#ask({ what, signal }, async (address, asking) => {
      const args: [string, bigint, number, string] = [this.#id, id, epoch, group];
      const answer = await this.#cluster.connections.ask(address, addOffsetsToTxn, args, asking);
      this.#check(answer.errorCode, what);
    });
  }

  /** The coordinator of the group keeps them, and makes them valid when the transaction is committed. */
  async commitOffsets(
    { id, epoch }: Identity,
    group: string,
    offsets: readonly GroupOffset[],
    signal: AbortSignal,
  ): Promise<void> {
    const what = `commit for "${group}" in a transaction`;
    const { txnOffsetCommit } = this.#cluster.connections.requests;
    const asking = { what, signal };
    const { generation, member } = nobody;
    await this.#persist(signal, async () => {
      const address = await this.#cluster.coordinator('group', group, { what, group }, asking);
      const answer = await this.#cluster.connections.ask(
        address,
        txnOffsetCommit,
        [this.#id, group, id, epoch, generation, member, null, topicsOf(offsets)],
        asking,
      );
      for (const { name: topic, partitions } of answer.topics) {
        for (const { errorCode } of partitions) this.#check(errorCode, what, topic, group);
      }
    });
  }

  /** `doubt` is told with true when it is on its way, with false when there is an answer that it was not done. */
  async end(
    { id, epoch }: Identity,
    committed: boolean,
    signal: AbortSignal,
    doubt: (is: boolean) => void = () => {},
  ): Promise<void> {
    const what = `${committed ? 'commit' : 'abort'} the transaction of "${this.#id}"`;
    const { endTxn } = this.#cluster.connections.requests;
    let [before, onItsWay] = [false, false];
    const sent = (): void => {
      onItsWay = true;
      doubt(true);
    };
    await this.#ask({ what, signal, sent }, async (address, asking) => {
      onItsWay = false;
      try {
        const args: [string, bigint, number, boolean] = [this.#id, id, epoch, committed];
        const answer = await this.#cluster.connections.ask(address, endTxn, args, asking);
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
    const asked = { what, topic, group, transactionalId: this.#id };
    if (code !== 0) throw complaint(this.#cluster.connections.reason(code), asked);
  }
}
