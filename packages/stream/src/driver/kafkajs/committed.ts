import type { ReadRecord } from '../record.ts';
import type { FetchedMessage, FetchedPartition } from './kafkajs-package.ts';
import { fromMessage } from './message.ts';

export interface Committed {
  readonly records: readonly ReadRecord[];
  /** What to ask for after these. */
  readonly next: bigint;
}

/**
 * The committed records among what was fetched from `from` on. A consumer of the package gives aborted ones as well: when a fetch begins
 * after the start of two transactions that were aborted, and from the first key of four zero bytes on, which it takes for
 * a marker. And it goes through what was compacted away one offset at a time.
 */
export function committed({ messages, abortedTransactions }: FetchedPartition, from: bigint): Committed {
  const aborted = (abortedTransactions ?? [])
    .map(({ producerId, firstOffset }) => ({ producerId, from: BigInt(firstOffset) }))
    .sort((a, b) => (a.from < b.from ? -1 : 1));
  const aborting = new Set<string>();
  const records: ReadRecord[] = [];
  let next = from;
  let begun = 0;
  for (const message of messages) {
    const offset = BigInt(message.offset);
    const { batchContext: batch } = message;
    for (let first = aborted[begun]; first && first.from <= offset; first = aborted[begun]) {
      aborting.add(first.producerId);
      begun += 1;
    }
    const after = batch ? BigInt(batch.firstOffset) + BigInt(batch.lastOffsetDelta) + 1n : offset + 1n;
    if (after > next) next = after;
    if (message.isControlRecord) {
      if (batch && isAbortMarker(message)) aborting.delete(batch.producerId);
    } else if (offset >= from && !(batch?.inTransaction && aborting.has(batch.producerId))) {
      records.push(fromMessage(message));
    }
  }
  return { records, next };
}

/** The key of a marker: a version, then 0 for aborted and 1 for committed. */
function isAbortMarker({ key }: FetchedMessage): boolean {
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0;
}
