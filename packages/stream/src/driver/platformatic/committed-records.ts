import type { RecordsBatch } from '@platformatic/kafka';
import type { ReadRecord } from '../record.ts';

/** A transaction that was aborted: the batches of this producer from this offset on, up to the marker that ends it. */
export interface Aborted {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

export interface Committed {
  readonly records: readonly ReadRecord[];
  /** After all that was read, also what no consumer sees. */
  readonly next: bigint;
}

const transactional = 1 << 4;
const control = 1 << 5;
const timeOfAppend = 1 << 3;

/**
 * Of what a broker has sent, what a consumer sees: from this offset on, without markers and without records of aborted
 * transactions. A broker sends whole batches, and names each aborted transaction of which there may be some among them; its
 * marker may be of another answer.
 */
export function committedRecords(
  batches: readonly RecordsBatch[],
  aborted: readonly Aborted[],
  from: bigint,
): Committed {
  const ahead = aborted.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const under = new Set<bigint>();
  const records: ReadRecord[] = [];
  let next = from;
  let begun = 0;
  for (const batch of batches) {
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    for (let one = ahead[begun]; one && one.firstOffset <= last; one = ahead[begun]) {
      under.add(one.producerId);
      begun += 1;
    }
    if (last >= next) next = last + 1n;
    if (batch.attributes & control) {
      if (marksAbort(batch)) under.delete(batch.producerId);
      continue;
    }
    if (batch.attributes & transactional && under.has(batch.producerId)) continue;
    if (last >= from) append(records, batch, from);
  }
  return { records, next };
}

/** The key of a marker: its version and its type, two bytes each. */
function marksAbort({ records: [marker] }: RecordsBatch): boolean {
  return marker?.key?.readInt16BE(2) === 0;
}

function append(records: ReadRecord[], batch: RecordsBatch, from: bigint): void {
  const { firstOffset, firstTimestamp, maxTimestamp, attributes } = batch;
  for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
    const offset = firstOffset + BigInt(offsetDelta);
    if (offset < from) continue;
    records.push({
      offset,
      key: key && own(key),
      value: value && own(value),
      headers: headers.map(([name, content]) => [name?.toString() ?? '', content ? own(content) : empty] as const),
      timestamp: Number(attributes & timeOfAppend ? maxTimestamp : firstTimestamp + timestampDelta),
    });
  }
}

const empty = Buffer.alloc(0);

/** What was read is a window on all that came with it: whoever keeps one record would keep that. */
function own(view: Buffer): Buffer {
  return view.length === 0 ? empty : Buffer.from(view);
}
