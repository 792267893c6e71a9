import { deadline, InvalidArgumentError, type QuorateError } from '@quorate/core';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { Appended, Appender } from '../appender.ts';
import type { RecordBatch } from '../record.ts';
import type { Cluster } from './cluster.ts';
import { Delivery } from './delivery.ts';
import { identify } from './identity.ts';
import { keyOf } from './offsets.ts';
import type { Identity, Parcel } from './parcel.ts';

/** One partition's own count, under an identity: an error of one partition is no matter of the others. */
interface Lane {
  readonly identity: Identity;
  readonly next: number;
}

const sequences = 2 ** 31;

export class KafkaAppender implements Appender {
  readonly #cluster: Cluster;
  readonly #identity: Identity;
  readonly #lanes: Map<string, Lane> = new Map();
  /** Partitions of which nobody knows an outcome: what comes next could be taken for a repetition of that, and dropped. */
  readonly #spoiled: Set<string> = new Set();
  readonly #over = new AbortController();
  readonly #underway: Set<Promise<unknown>> = new Set();

  constructor(cluster: Cluster, identity: Identity) {
    this.#cluster = cluster;
    this.#identity = identity;
  }

  async append(batches: readonly RecordBatch[]): Promise<readonly Appended[]> {
    const appending = this.#append(batches);
    this.#underway.add(appending);
    return await appending.finally(() => this.#underway.delete(appending));
  }

  async close(): Promise<void> {
    this.#over.abort(new StreamClosedError('the appender'));
    await Promise.allSettled(this.#underway);
    this.#cluster.connections.close();
  }

  async #append(batches: readonly RecordBatch[]): Promise<readonly Appended[]> {
    const closed = this.#over.signal.reason;
    if (closed) return batches.map(() => ({ error: closed }));
    const parcels = batches.map((batch) => this.#parcel(batch));
    using limit = deadline(this.#cluster.settings.deliveryTimeout, this.#over.signal);
    const renew = (signal: AbortSignal): Promise<Identity> => identify(this.#cluster, signal);
    const delivery = new Delivery({ cluster: this.#cluster, renew }, limit.signal);
    await delivery.deliver(parcels.filter(({ outcome }) => !outcome));
    return parcels.map((parcel) => this.#settle(parcel));
  }

  #parcel(batch: RecordBatch): Parcel {
    const key = keyOf(batch);
    const { identity, next: sequence } = this.#lanes.get(key) ?? { identity: this.#identity, next: 0 };
    let error: QuorateError | undefined;
    if (batch.records.length === 0) error = new InvalidArgumentError('records', 'at least one', 0);
    if (this.#spoiled.has(key)) error = new StreamClosedError('the appender');
    return { batch, identity, sequence, doubt: false, outcome: error && { error } };
  }

  #settle({ batch, identity, sequence, doubt, outcome }: Parcel): Appended {
    const written = outcome?.offset !== undefined;
    const next = written ? (sequence + batch.records.length) % sequences : sequence;
    if (written || !doubt) this.#lanes.set(keyOf(batch), { identity, next });
    else this.#spoiled.add(keyOf(batch));
    return outcome ?? { error: this.#over.signal.reason };
  }
}
