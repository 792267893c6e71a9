import type { ReadRecord } from '../record.ts';
import type { FetchedPartition } from './fetch-answer.ts';
import { batchesIn, isAbort, recordsIn, type StoredBatch } from './record-batch.ts';

export interface Committed {
  readonly records: readonly ReadRecord[];
  /** What to ask for after these. */
  readonly next: bigint;
}

/** The records of a batch, uncompressed. */
export type Decompress = (batch: StoredBatch) => Buffer | Promise<Buffer>;

/**
 * The committed records among what was fetched from `from` on. A consumer of the package gives aborted ones as well: when a fetch begins
 * after the start of two transactions that were aborted, and from the first key of four zero bytes on, which it takes for
 * the end of one.
 */
export async function committed(
  { stored, aborted }: FetchedPartition,
  from: bigint,
  decompress: Decompress,
): Promise<Committed> {
  const beginnings = aborted.toSorted((a, b) => (a.first < b.first ? -1 : 1));
  const aborting = new Set<bigint>();
  const records: ReadRecord[] = [];
  let next = from;
  let begun = 0;
  for (const batch of batchesIn(stored)) {
    for (let one = beginnings[begun]; one && one.first <= batch.last; one = beginnings[begun]) {
      aborting.add(one.producerId);
      begun += 1;
    }
    // The first batch may have begun before.
    if (batch.last >= next) next = batch.last + 1n;
    if (batch.isMarker) {
      if (isAbort(batch)) aborting.delete(batch.producerId);
    } else if (!(batch.inTransaction && aborting.has(batch.producerId))) {
      const body = batch.compression === 0 ? batch.body : await decompress(batch);
      for (const record of recordsIn(batch, body)) if (record.offset >= from) records.push(record);
    }
  }
  return { records, next };
}
