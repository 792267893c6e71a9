import type { Assigned, GroupReaderOptions } from '../group-reader.ts';
import type { TopicPartition } from '../record.ts';
import type { Coordinator } from './coordinator.ts';
import type { Link } from './link.ts';
import { offsetsAt } from './offsets-at.ts';
import { stableOffsets } from './stable-offsets.ts';

/** A partition without a leader does not keep the others waiting: reading it will say when it does not begin there. */
const patience = 2_000;

/** Transactions that commit offsets of the group may be under way. */
const unsettled = ['UNSTABLE_OFFSET_COMMIT'];

/**
 * Where a member begins in its partitions, and whether the group has committed that.
 *
 * `outOfRange` are those for which the log had nothing at this offset. When that is after its end, the topic was deleted
 * and made again, or the cluster has lost messages: the partition is read from where it begins, so that none is left out.
 */
export async function whereToBegin(
  link: Link,
  coordinator: Coordinator,
  { group, from, undecided }: GroupReaderOptions,
  partitions: readonly TopicPartition[],
  outOfRange: ReadonlyMap<string, bigint>,
  signal: AbortSignal,
): Promise<readonly (Assigned & { readonly committed: boolean })[]> {
  if (partitions.length === 0) return [];
  const asked = { what: `look for the offsets of "${group}"`, group };
  const committed = await coordinator.ask({ asked, limit: signal, again: unsettled }, (broker) =>
    stableOffsets(broker, group, partitions, undecided),
  );
  const earliest = await offsetsAt(link, partitions, 'earliest', { signal, patience });
  const fresh = from === 'latest' ? partitions.filter((partition) => !committed.has(partition)) : [];
  const latest = fresh.length > 0 ? await offsetsAt(link, fresh, 'latest', { signal }) : undefined;
  return partitions.map((partition) => {
    // Where nobody has answered, an offset that is not there will be found out of range.
    const begin = earliest.get(partition) ?? 0n;
    const known = committed.get(partition);
    const place = (offset: bigint, missed = 0n): Assigned & { committed: boolean } => ({
      ...partition,
      offset,
      missed,
      committed: known !== undefined,
    });
    const nothingAt = outOfRange.get(`${partition.topic}/${partition.partition}`);
    const wanted = known ?? latest?.get(partition) ?? nothingAt ?? begin;
    if (wanted < begin) return place(begin, begin - wanted);
    return place(nothingAt === undefined ? wanted : begin);
  });
}
