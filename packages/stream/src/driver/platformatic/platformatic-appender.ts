import { deadline, InvalidArgumentError } from '@quorate/core';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { Appended, Appender } from '../appender.ts';
import type { RecordBatch } from '../record.ts';
import type { Cluster } from './cluster.ts';
import { Delivery } from './delivery.ts';
import { identify } from './identity.ts';
import type { Library } from './library.ts';
import type { Identity, Parcel } from './parcel.ts';

/** One partition's own count, under an identity: an error of one partition is no matter of the others. */
interface Lane {
  readonly identity: Identity;
  readonly next: number;
}

const sequences = 2 ** 31;

export class PlatformaticAppender implements Appender {
  readonly #cluster: Cluster;
  readonly #library: Library;
  readonly #identity: Identity;
  readonly #lanes: Map<string, Lane> = new Map();
  readonly #over = new AbortController();
  readonly #underway: Set<Promise<unknown>> = new Set();

  constructor(cluster: Cluster, library: Library, identity: Identity) {
    this.#cluster = cluster;
    this.#library = library;
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
    const delivery = new Delivery({ cluster: this.#cluster, library: this.#library, renew }, limit.signal);
    await delivery.deliver(parcels.filter(({ outcome }) => !outcome));
    return parcels.map((parcel) => this.#settle(parcel));
  }

  #parcel(batch: RecordBatch): Parcel {
    const lane = this.#lanes.get(`${batch.topic}:${batch.partition}`) ?? { identity: this.#identity, next: 0 };
    const none = new InvalidArgumentError('records', 'at least one', batch.records.length);
    const outcome = batch.records.length === 0 ? { error: none } : undefined;
    return { batch, identity: lane.identity, sequence: lane.next, doubt: false, outcome };
  }

  #settle({ batch: { topic, partition, records }, identity, sequence, doubt, outcome }: Parcel): Appended {
    const written = outcome?.offset !== undefined;
    const next = written ? (sequence + records.length) % sequences : sequence;
    if (written || !doubt) this.#lanes.set(`${topic}:${partition}`, { identity, next });
    return outcome ?? { error: this.#over.signal.reason };
  }
}
