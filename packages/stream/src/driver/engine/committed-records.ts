import { type ReadRecord, sizeOf } from '../record.ts';
import type { AbortedTransaction } from './protocol/fetch.ts';
import type { StoredBatch } from './protocol/stored-batch.ts';

type Batch = Pick<StoredBatch, 'control' | 'lastOffset' | 'marker' | 'producerId' | 'records' | 'transactional'>;

export interface Committed {
  readonly records: readonly ReadRecord[];
  /** After all that was read, also what no consumer sees. */
  readonly next: bigint;
  /** Why what follows cannot be read, and will not be. */
  readonly unread: Error | undefined;
}

/** After so many bytes whoever reads may say that it is enough: after the batch in which they end. */
const portion = 1024 * 1024;

/**
 * Of what a broker has sent, what a consumer sees: from this offset on, without markers and without records of aborted
 * transactions. A broker sends whole batches, and names each aborted transaction of which there may be some among them; its
 * marker may be of another answer. In portions, one at least: what is compressed can be many times as much as was asked for.
 */
export function* committedRecords(
  batches: Iterable<Batch>,
  aborted: readonly AbortedTransaction[],
  from: bigint,
): Generator<Committed, void, undefined> {
  const ahead = aborted.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const under = new Set<bigint>();
  let records: ReadRecord[] = [];
  let bytes = 0;
  let next = from;
  let begun = 0;
  try {
    for (const batch of batches) {
      const { lastOffset, producerId } = batch;
      for (let one = ahead[begun]; one && one.firstOffset <= lastOffset; one = ahead[begun]) {
        under.add(one.producerId);
        begun += 1;
      }
      if (batch.marker === 'abort') under.delete(producerId);
      const isSeen = !batch.control && !(batch.transactional && under.has(producerId));
      if (isSeen && lastOffset >= from)
        for (const record of batch.records(from)) {
          records.push(record);
          bytes += sizeOf(record);
        }
      if (lastOffset >= next) next = lastOffset + 1n;
      if (bytes < portion) continue;
      yield { records, next, unread: undefined };
      records = [];
      bytes = 0;
    }
  } catch (error) {
    yield { records, next, unread: error as Error };
    return;
  }
  yield { records, next, unread: undefined };
}
