import type { TopicPartition } from '../record.ts';
import type { GroupOffset } from '../transactor.ts';
import type { Cluster } from './cluster.ts';
import type { Address, Asking } from './connections.ts';
import { Again, complaint } from './failure.ts';

/** Where in a partition: its ends as Kafka says them, or the first message of that time or later. */
export const earliest = -2n;
export const latest = -1n;

/** What was read is of committed transactions only, or of all. */
const isolation = { committed: 1, all: 0 } as const;

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

/** Asks the leaders, as they were known at the last look; by `keyOf`. -1n: there is no such message. Once: rejects with `Again`. */
export async function listOffsets(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  timestamp: bigint,
  { of = 'committed', ...asking }: Asking & { readonly of?: keyof typeof isolation },
): Promise<ReadonlyMap<string, bigint>> {
  const { what } = asking;
  const found = new Map<string, bigint>();
  const leaders = Map.groupBy(partitions, ({ topic, partition }) => cluster.plan(topic)?.leaders[partition] ?? -1);
  const asked = [...leaders].map(async ([leader, theirs]) => {
    const address = cluster.address(leader);
    if (!address) throw complaint('LEADER_NOT_AVAILABLE', { what });
    const topics = [...Map.groupBy(theirs, ({ topic }) => topic)].map(([name, some]) => ({
      name,
      partitions: some.map(({ partition }) => ({ partitionIndex: partition, currentLeaderEpoch: -1, timestamp })),
    }));
    const request = cluster.connections.requests.listOffsets;
    const answer = await cluster.connections.ask(address, request, [-1, isolation[of], topics], asking);
    for (const { name: topic, partitions } of answer.topics) {
      for (const { partitionIndex: partition, errorCode, offset } of partitions) {
        cluster.check(errorCode, { what, topic });
        found.set(keyOf({ topic, partition }), offset);
      }
    }
  });
  await together(asked);
  return found;
}

/** What a group has committed, of all partitions; nothing for partitions without. Once: rejects with `Again`. */
export async function committedOffsets(
  cluster: Cluster,
  group: string,
  asking: Asking,
  undecided: 'wait' | 'ignore' = 'wait',
): Promise<readonly GroupOffset[]> {
  const asked = { what: asking.what, group };
  const address = await cluster.coordinator('group', group, asked, asking);
  const request = cluster.connections.requests.offsetFetch;
  // No list of topics: all of them.
  const all = null as unknown as [];
  const answer = await cluster.connections.ask(
    address,
    request,
    [[{ groupId: group, memberId: null, memberEpoch: -1, topics: all }], undecided === 'wait'],
    asking,
  );
  const offsets: GroupOffset[] = [];
  for (const { errorCode, topics } of answer.groups) {
    cluster.check(errorCode, asked);
    for (const { name: topic, partitions } of topics) {
      for (const { partitionIndex: partition, committedOffset: offset, errorCode } of partitions) {
        cluster.check(errorCode, { ...asked, topic });
        if (offset >= 0n) offsets.push({ topic, partition, offset });
      }
    }
  }
  return offsets;
}

/** As whom offsets are committed: a member of a generation, or nobody for a group without members. */
export interface Committer {
  readonly group: string;
  readonly generation: number;
  readonly member: string;
}

/** Once: rejects with `Again`. */
export async function commitOffsets(
  cluster: Cluster,
  coordinator: Address,
  { group, generation, member }: Committer,
  offsets: readonly GroupOffset[],
  asking: Asking,
): Promise<void> {
  const request = cluster.connections.requests.offsetCommit;
  const answer = await cluster.connections.ask(
    coordinator,
    request,
    [group, generation, member, null, topicsOf(offsets)],
    asking,
  );
  for (const { name: topic, partitions } of answer.topics) {
    for (const { errorCode } of partitions) cluster.check(errorCode, { what: asking.what, group, topic });
  }
}

export interface OffsetTopic {
  readonly name: string;
  readonly partitions: OffsetPartition[];
}

interface OffsetPartition {
  readonly partitionIndex: number;
  readonly committedOffset: bigint;
  readonly committedLeaderEpoch: number;
  readonly committedMetadata: string;
}

/** As requests list them. */
export function topicsOf(offsets: readonly GroupOffset[]): OffsetTopic[] {
  return [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, some]) => ({
    name,
    partitions: some.map(({ partition, offset }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      committedMetadata: '',
    })),
  }));
}

/** Waits for all of them; the first that is refused for good counts, before those that may go better the next time. */
async function together(asked: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(asked)).filter((result) => result.status === 'rejected');
  const [worst] = failed.toSorted((a, b) => Number(a.reason instanceof Again) - Number(b.reason instanceof Again));
  if (worst) throw worst.reason;
}
