import { AmbiguousError, deadline } from '@quorate/core';
import { FencedProducerError } from '../../errors/fenced-producer-error.ts';
import { RefusedError } from '../../errors/refused-error.ts';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { RecordBatch } from '../record.ts';
import type { GroupIdentity, GroupOffset, Transactor } from '../transactor.ts';
import type { Cluster } from './cluster.ts';
import { Delivery } from './delivery.ts';
import { keyOf } from './offsets.ts';
import type { Identity, Parcel } from './parcel.ts';
import type { TransactionCoordinator } from './transaction-coordinator.ts';

/** How far a transaction has come: the coordinator knows of it from the first partition or group on. */
type Stage = 'none' | 'begun' | 'known' | 'in doubt';

/** How long a coordinator may take to hear of the end of a transactor. */
const closeTakes = 2_000;
const sequences = 2 ** 31;

export class KafkaTransactor implements Transactor {
  readonly id: string;
  readonly #cluster: Cluster;
  readonly #coordinator: TransactionCoordinator;
  readonly #over = new AbortController();
  readonly #partitions: Set<string> = new Set();
  readonly #groups: Set<string> = new Set();
  readonly #sequences: Map<string, number> = new Map();
  #identity: Identity;
  #stage: Stage = 'none';
  /** Whether some batch may have been written, or not: the next one could be taken for it. */
  #unsure = false;
  #fenced: FencedProducerError | undefined;
  #closed: Promise<void> | undefined;

  constructor(id: string, cluster: Cluster, coordinator: TransactionCoordinator, identity: Identity) {
    this.id = id;
    this.#cluster = cluster;
    this.#coordinator = coordinator;
    this.#identity = identity;
  }

  async begin(): Promise<void> {
    await this.#use(async () => {
      if (this.#stage !== 'none') throw new RefusedError('begin a transaction', 'INVALID_TXN_STATE');
      this.#partitions.clear();
      this.#groups.clear();
      this.#stage = 'begun';
    });
  }

  async append(batches: readonly RecordBatch[]): Promise<readonly bigint[]> {
    return await this.#use(async (signal) => {
      this.#checkBegun('publish');
      const added = batches.filter((batch) => !this.#partitions.has(keyOf(batch)));
      if (added.length > 0) {
        this.#stage = 'known';
        await this.#coordinator.addPartitions(this.#identity, added, signal);
        for (const batch of added) this.#partitions.add(keyOf(batch));
      }
      const parcels = batches.map((batch) => this.#parcel(batch));
      using limit = deadline(this.#cluster.settings.deliveryTimeout, signal);
      const options = { cluster: this.#cluster, transactionalId: this.id };
      await new Delivery(options, limit.signal).deliver(parcels);
      for (const parcel of parcels) this.#count(parcel);
      return parcels.map(({ outcome }) => {
        if (outcome?.offset === undefined) throw outcome?.error ?? signal.reason;
        return outcome.offset;
      });
    });
  }

  async sendOffsets(group: string, offsets: readonly GroupOffset[], as?: GroupIdentity): Promise<void> {
    await this.#use(async (signal) => {
      this.#checkBegun('commit offsets');
      if (offsets.length === 0) return;
      if (!this.#groups.has(group)) {
        this.#stage = 'known';
        await this.#coordinator.addGroup(this.#identity, group, signal);
        this.#groups.add(group);
      }
      await this.#coordinator.commitOffsets(this.#identity, { group, as, offsets }, signal);
    });
  }

  async commit(): Promise<void> {
    await this.#use(async (signal) => {
      this.#checkBegun('commit');
      let doubt = false;
      const doubted = (is: boolean): void => {
        doubt = is;
      };
      try {
        if (this.#stage === 'known') await this.#coordinator.end(this.#identity, true, signal, doubted);
        this.#stage = 'none';
      } catch (error) {
        if (error instanceof FencedProducerError) this.#fenced = error;
        if (!doubt) throw error;
        this.#stage = 'in doubt';
        throw unknown(this.id, error);
      }
    });
  }

  async abort(): Promise<void> {
    await this.#use((signal) => this.#abort(signal));
  }

  /** By the end of the transaction first: a coordinator that is asked for another epoch would abort the transaction of a successor, too. */
  async renew(signal?: AbortSignal): Promise<void> {
    await this.#use(async (over) => {
      const limit = signal ? AbortSignal.any([signal, over]) : over;
      try {
        await this.#coordinator.end(this.#identity, false, limit);
      } catch (error) {
        if (!isOver(error)) throw error;
      }
      // What is still on its way of the old epoch, a late commit among it, is refused from now on.
      await this.#reidentify(limit);
      this.#stage = 'none';
    });
  }

  async close(): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    this.#over.abort(new StreamClosedError('the transactor'));
    if (this.#stage === 'known' && !this.#fenced) {
      using limit = deadline(closeTakes);
      const ended = this.#coordinator.end(this.#identity, false, limit.signal);
      // Without it the coordinator aborts when the time of the transaction is up, or somebody takes the id over.
      await ended.catch(() => {});
    }
    this.#cluster.connections.close();
  }

  async #abort(signal: AbortSignal): Promise<void> {
    if (this.#stage === 'none') throw new RefusedError('abort a transaction', 'INVALID_TXN_STATE');
    if (this.#stage !== 'begun') {
      try {
        await this.#coordinator.end(this.#identity, false, signal);
      } catch (error) {
        if (!isOver(error)) throw error;
        if (this.#stage === 'in doubt') throw unknown(this.id, error);
      }
    }
    if (this.#unsure) await this.#reidentify(signal);
    this.#stage = 'none';
  }

  async #reidentify(signal: AbortSignal): Promise<void> {
    this.#identity = await this.#coordinator.takeOver(signal, this.#identity);
    this.#sequences.clear();
    this.#unsure = false;
  }

  async #use<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#over;
    if (this.#fenced) throw this.#fenced;
    signal.throwIfAborted();
    try {
      return await work(signal);
    } catch (error) {
      if (error instanceof FencedProducerError) this.#fenced = error;
      throw error;
    }
  }

  #checkBegun(what: string): void {
    if (this.#stage !== 'begun' && this.#stage !== 'known') {
      throw new RefusedError(`${what} without a transaction`, 'INVALID_TXN_STATE');
    }
  }

  #parcel(batch: RecordBatch): Parcel {
    const sequence = this.#sequences.get(keyOf(batch)) ?? 0;
    return { batch, identity: this.#identity, sequence, doubt: false, outcome: undefined };
  }

  #count({ batch, sequence, doubt, outcome }: Parcel): void {
    if (outcome?.offset !== undefined) this.#sequences.set(keyOf(batch), (sequence + batch.records.length) % sequences);
    else if (doubt) this.#unsure = true;
  }
}

/** There is no transaction that could be aborted: it never came to one, or it was committed. */
function isOver(error: unknown): boolean {
  return error instanceof RefusedError && error.reason === 'INVALID_TXN_STATE';
}

function unknown(id: string, cause: unknown): AmbiguousError {
  return new AmbiguousError(`the transaction of "${id}" may have been committed: the coordinator did not answer`, {
    cause,
  });
}
