import type { Appended } from '../appender.ts';
import type { RecordBatch } from '../record.ts';

/** Who writes. The broker knows what was written already by this, the partition and a running number. */
export interface Identity {
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly transactionalId?: string;
}

/** One batch on its way. */
export interface Parcel {
  readonly batch: RecordBatch;
  identity: Identity;
  sequence: number;
  /** It was sent, and there is no answer yet. */
  flying: boolean;
  /** It was sent, and that attempt's outcome is not known. */
  doubt: boolean;
  last: unknown;
  outcome: Appended | undefined;
}

export function newParcel(batch: RecordBatch, identity: Identity): Parcel {
  const last = new Error('no answer in time');
  return { batch, identity, sequence: 0, flying: false, doubt: false, last, outcome: undefined };
}

export function isOpen({ outcome }: Parcel): boolean {
  return outcome === undefined;
}

export function keyOf({ topic, partition }: RecordBatch): string {
  return `${topic}/${partition}`;
}

export function topicsOf(parcels: readonly Parcel[]): readonly string[] {
  return [...new Set(parcels.map(({ batch }) => batch.topic))];
}
