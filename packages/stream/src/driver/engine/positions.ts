import type { Assigned, GroupReaderOptions } from '../group-reader.ts';
import type { TopicPartition } from '../record.ts';
import type { GroupOffset } from '../transactor.ts';
import type { Cluster } from './cluster.ts';
import type { Asking } from './connections.ts';
import { committedOffsets, earliest, keyOf, latest, listOffsets } from './offsets.ts';

export interface Positions {
  readonly assigned: readonly Assigned[];
  /** The ids of the topics. */
  readonly ids: ReadonlyMap<string, string>;
  /** What is to be committed first. Where nothing was, and reading begins at the end: what comes before the first commit is lost when this is forgotten. */
  readonly fresh: readonly GroupOffset[];
}

/**
 * Where a group goes on in these partitions. `lenient`: one whose leader does not answer keeps the others not waiting; when it does not begin there, reading
 * it will say so. `before`: the ids of the topics of which the group has had these partitions until now. Once: rejects with `Again`.
 */
export async function positions(
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[],
  { from, undecided = 'wait' }: Pick<GroupReaderOptions, 'from' | 'undecided'>,
  asking: Asking & { readonly lenient?: boolean },
  before: ReadonlyMap<string, string> = new Map(),
): Promise<Positions> {
  if (partitions.length === 0) return { assigned: [], ids: new Map(), fresh: [] };
  const plans = await cluster.look([...new Set(partitions.map(({ topic }) => topic))], asking);
  const ids = new Map([...plans].map(([topic, { id }]) => [topic, id]));
  const isAnew = ({ topic }: TopicPartition): boolean => (before.get(topic) ?? ids.get(topic)) !== ids.get(topic);
  const known = new Map(
    (await committedOffsets(cluster, group, partitions, asking, undecided)).map((offset) => [
      keyOf(offset),
      offset.offset,
    ]),
  );
  const begins = await listOffsets(cluster, partitions, earliest, asking);
  const ends = await listOffsets(cluster, partitions, latest, { ...asking, of: 'all' });
  const fresh: GroupOffset[] = [];
  // Nobody else has had them meanwhile: of the new topic nothing was read, whatever was committed just when it was made.
  for (const partition of partitions.filter(isAnew))
    fresh.push({ ...partition, offset: begins.get(keyOf(partition)) ?? 0n });
  for (const partition of fresh) known.set(keyOf(partition), partition.offset);
  const unknown = partitions.filter((partition) => !known.has(keyOf(partition)));
  if (from === 'latest' && unknown.length > 0) {
    const last = await listOffsets(cluster, unknown, latest, { ...asking, lenient: false });
    for (const partition of unknown) fresh.push({ ...partition, offset: last.get(keyOf(partition)) ?? 0n });
  }
  for (const { topic, partition, offset } of fresh) known.set(keyOf({ topic, partition }), offset);
  const assigned = partitions.map((partition): Assigned => {
    const key = keyOf(partition);
    const offset = known.get(key);
    const { begin = offset ?? 0n, end = offset ?? 0n } = { begin: begins.get(key), end: ends.get(key) };
    if (offset === undefined) return { ...partition, offset: begin, missed: 0n };
    if (offset < begin) return { ...partition, offset: begin, missed: begin - offset };
    // It was committed for a log that is no more: of the one that there is, nothing was read.
    if (offset > end) return { ...partition, offset: begin, missed: 0n };
    return { ...partition, offset, missed: 0n };
  });
  return { assigned, ids, fresh };
}
