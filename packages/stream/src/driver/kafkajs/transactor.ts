import { type Deadline, deadline, type QuorateError } from '@quorate/core';
import { FencedProducerError } from '../../errors/fenced-producer-error.ts';
import { RefusedError } from '../../errors/refused-error.ts';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { RecordBatch, TopicPartition } from '../record.ts';
import type { Asked } from '../refusal.ts';
import type { GroupOffset, Transactor } from '../transactor.ts';
import type { Ask } from './ask.ts';
import { commitTopics } from './commit-topics.ts';
import { Coordinator } from './coordinator.ts';
import { Delivery } from './delivery.ts';
import { reasonOf } from './failure.ts';
import type { Broker } from './kafkajs-package.ts';
import type { Link } from './link.ts';
import type { Identity } from './parcel.ts';

/** `broken`: a part of the transaction has failed, and it can only be aborted. `spent`: another transactor has to begin the next one. */
type State = 'idle' | 'open' | 'broken' | 'spent';

type OfTransactions = Identity & { readonly transactionalId: string };

/** A transaction of before is being finished by the broker. */
const finishing = ['CONCURRENT_TRANSACTIONS'];

/** How long the end waits for a transaction to be aborted. After that the broker does it, when its time is up or the id is taken over. */
const abortWithin = 2_000;

export class KafkajsTransactor implements Transactor {
  readonly id: string;
  readonly #link: Link;
  readonly #coordinator: Coordinator;
  readonly #identity: OfTransactions;
  readonly #delivery: Delivery;
  readonly #over = new AbortController();
  /** Partitions and groups that the coordinator was told of, or may have been. */
  readonly #told = new Set<string>();
  #state: State = 'idle';
  #fenced: FencedProducerError | undefined;
  #closing: Promise<void> | undefined;

  /** Whoever had the id is fenced when this resolves. */
  static async start(link: Link, id: string, timeout: number, limit: AbortSignal): Promise<KafkajsTransactor> {
    const coordinator = new Coordinator(link, { transactionalId: id });
    const asked = { what: `take over the transactional id "${id}"`, transactionalId: id };
    const { producerId, producerEpoch } = await coordinator.ask({ asked, limit, again: finishing }, (broker) =>
      broker.initProducerId({ transactionalId: id, transactionTimeout: timeout }),
    );
    return new KafkajsTransactor(link, coordinator, { transactionalId: id, producerId, producerEpoch });
  }

  private constructor(link: Link, coordinator: Coordinator, identity: OfTransactions) {
    this.id = identity.transactionalId;
    this.#link = link;
    this.#coordinator = coordinator;
    this.#identity = identity;
    this.#delivery = new Delivery(link, identity);
  }

  async begin(): Promise<void> {
    this.#check('idle');
    this.#state = 'open';
  }

  async append(batches: readonly RecordBatch[]): Promise<readonly bigint[]> {
    this.#check('open');
    using limit = this.#limit();
    const asked = this.#asked(`publish in a transaction of "${this.id}"`);
    await this.#add(batches, asked, limit);
    const outcomes = await this.#delivery.deliver(batches, limit.signal);
    for (const { error } of outcomes) if (error) throw this.#noted(error);
    return outcomes.map(({ offset }) => offset as bigint);
  }

  async #add(partitions: readonly TopicPartition[], asked: Asked, limit: Deadline): Promise<void> {
    const fresh = partitions.filter(({ topic, partition }) => !this.#told.has(`${topic}/${partition}`));
    if (fresh.length === 0) return;
    const topics = [...Map.groupBy(fresh, ({ topic }) => topic)].map(([topic, of]) => ({
      topic,
      partitions: of.map(({ partition }) => partition),
    }));
    // From now on there is something to abort, also when the answer is lost.
    this.#told.add('');
    const again = [...finishing, 'UNKNOWN_TOPIC_OR_PARTITION'];
    using shorter = deadline(Math.min(5_000, limit.remaining()), limit.signal);
    await this.#ask({ asked: { ...asked, topic: topics[0]?.topic ?? '' }, limit: shorter.signal, again }, (broker) =>
      broker.addPartitionsToTxn({ ...this.#identity, topics }),
    );
    for (const { topic, partition } of fresh) this.#told.add(`${topic}/${partition}`);
  }

  async sendOffsets(group: string, offsets: readonly GroupOffset[]): Promise<void> {
    this.#check('open');
    using limit = this.#limit();
    const asked = { ...this.#asked(`commit offsets of "${group}" in a transaction`), group };
    this.#told.add('');
    await this.#ask({ asked, limit: limit.signal, again: finishing }, (broker) =>
      broker.addOffsetsToTxn({ ...this.#identity, groupId: group }),
    );
    const keeper = new Coordinator(this.#link, { group });
    const again = ['UNKNOWN_TOPIC_OR_PARTITION', 'CONCURRENT_TRANSACTIONS'];
    const topics = commitTopics(offsets);
    await keeper
      .ask({ asked, limit: limit.signal, again }, (broker) =>
        broker.txnOffsetCommit({ ...this.#identity, groupId: group, topics }),
      )
      .catch((error: QuorateError) => Promise.reject(this.#noted(error)));
  }

  async commit(): Promise<void> {
    this.#check('open');
    using limit = this.#limit();
    await this.#end(true, limit.signal);
  }

  async abort(): Promise<void> {
    this.#check('idle', 'open', 'broken', 'spent');
    using limit = this.#limit();
    await this.#end(false, limit.signal);
  }

  async #end(commits: boolean, limit: AbortSignal): Promise<void> {
    const before = this.#state;
    const asked = this.#asked(`${commits ? 'commit' : 'abort'} a transaction of "${this.id}"`);
    // Until this is over, and when it ends with nobody knowing how: a late request would end the next transaction.
    this.#state = 'spent';
    if (this.#told.size > 0)
      await this.#ask({ asked, limit, writes: commits, again: finishing }, (broker) =>
        broker.endTxn({ ...this.#identity, transactionResult: commits }).catch((error: unknown) => {
          // The coordinator was never told of anything in it.
          if (before === 'spent' || commits || reasonOf(error) !== 'INVALID_TXN_STATE') throw error;
        }),
      );
    this.#told.clear();
    // Records that nobody knows of may still arrive, and would count for the next transaction: another producer has to begin that.
    if (before !== 'spent' && !this.#delivery.spoiled) this.#state = 'idle';
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Of a commit that nobody knows of, whoever takes the id over decides.
    const open = this.#told.size > 0 && !this.#fenced && this.#state !== 'spent';
    this.#over.abort();
    if (open) {
      using limit = deadline(abortWithin);
      await this.#end(false, limit.signal).catch(() => {});
    }
    await this.#link.close();
  }

  #ask<T>(ask: Ask, request: (broker: Broker) => Promise<T>): Promise<T> {
    return this.#coordinator.ask(ask, request).catch((error: QuorateError) => Promise.reject(this.#noted(error)));
  }

  #noted(error: QuorateError): QuorateError {
    this.#state = this.#state === 'spent' ? 'spent' : 'broken';
    // The id has another producer number now: that is how it looks when it had run out in between.
    const { reason } = error as { readonly reason?: string };
    if (reason === 'INVALID_PRODUCER_ID_MAPPING')
      return this.#noted(new FencedProducerError(this.id, { cause: error }));
    if (error.code === 'fenced-producer') this.#fenced = error as FencedProducerError;
    return error;
  }

  #check(...allowed: readonly State[]): void {
    if (this.#fenced) throw new FencedProducerError(this.id, { cause: this.#fenced });
    if (this.#over.signal.aborted) throw new StreamClosedError(`the transactor "${this.id}"`);
    if (allowed.includes(this.#state)) return;
    if (this.#state === 'spent') throw new StreamClosedError(`the transactor "${this.id}"`);
    if (this.#state === 'broken') throw new StreamClosedError(`the transaction of "${this.id}"`);
    throw new RefusedError(`use a transaction of "${this.id}"`, 'INVALID_TXN_STATE');
  }

  #asked(what: string): Asked {
    return { what, transactionalId: this.id };
  }

  #limit(): Deadline {
    return deadline(this.#link.settings.deliveryTimeout, this.#over.signal);
  }
}
