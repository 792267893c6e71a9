import { isQuorateError } from '@quorate/core';
import type { NodeData, ReadRequest, ZooKeeper } from '@quorate/zookeeper';

/** What a read has found; undefined where there is no such node. */
type Found = NodeData | { readonly names: string[] } | undefined;

export interface ReadAllOptions {
  readonly signal: AbortSignal | undefined;
  /** Called with each outcome as it comes, in no order. What it throws ends the reading. */
  readonly each: (index: number, found: Found) => void;
}

/** So many requests are under way at once: enough to fill the line, and no burden on the server. */
const lanes = 4;
/** A request is as large as makes its answer about so large. Nobody knows how large the nodes are: it begins small. */
const wanted = 256 * 1024;
const fewest = 8;
const most = 512;
/** The paths of one request have at most so many characters. */
const longest = 128 * 1024;

/** Reads many nodes, many at a time, within bounds for what is asked and answered at once. */
export async function readAll(
  zk: ZooKeeper,
  reads: readonly ReadRequest[],
  { signal, each }: ReadAllOptions,
): Promise<void> {
  let next = 0;
  let size = fewest;
  const lane = async (): Promise<void> => {
    while (next < reads.length) {
      const from = next;
      next = endOf(reads, from, size);
      try {
        const count = next - from;
        const bytes = await readBatch(zk, reads.slice(from, next), signal, (index, found) => each(from + index, found));
        // Twice as many at most: the next ones may be larger.
        size = Math.max(1, Math.min(most, 2 * count, Math.floor((wanted * count) / (bytes + 1))));
      } catch (error) {
        // The other lanes have nothing left to begin.
        next = reads.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function endOf(reads: readonly ReadRequest[], from: number, size: number): number {
  let characters = 0;
  for (let end = from; end < reads.length && end - from < size; end += 1) {
    const read = reads[end];
    characters += read === undefined ? 0 : 'get' in read ? read.get.length : read.children.length;
    if (characters > longest && end > from) return end;
  }
  return Math.min(reads.length, from + size);
}

/** Resolves with how large the answer was, about. */
async function readBatch(
  zk: ZooKeeper,
  reads: readonly ReadRequest[],
  signal: AbortSignal | undefined,
  each: (index: number, found: Found) => void,
): Promise<number> {
  let bytes = 0;
  try {
    for (const [index, outcome] of (await zk.readMany(reads, { signal })).entries()) {
      if ('error' in outcome) {
        if (!isQuorateError(outcome.error, 'no-node')) throw outcome.error;
        each(index, undefined);
      } else {
        bytes += 'data' in outcome ? outcome.data.length : outcome.names.join('').length;
        each(index, outcome);
      }
    }
    return bytes;
  } catch (error) {
    if (reads.length === 1 || !isQuorateError(error, 'reply-too-large')) throw error;
  }
  // Nothing of it was told to `each` yet: it came to nothing as a whole.
  const half = reads.length >> 1;
  await readBatch(zk, reads.slice(0, half), signal, each);
  await readBatch(zk, reads.slice(half), signal, (index, found) => each(half + index, found));
  return Number.POSITIVE_INFINITY;
}
