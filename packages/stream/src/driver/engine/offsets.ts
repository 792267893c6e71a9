import type { TopicPartition } from '../record.ts';
import type { GroupOffset } from '../transactor.ts';
import type { Address } from '../wire.ts';
import type { Cluster } from './cluster.ts';
import type { Asking } from './connections.ts';
import { Again, complaint } from './failure.ts';
import { offsetCommit, offsetFetch } from './protocol/committed-offsets.ts';
import type { CommittedTopic } from './protocol/committed-topic.ts';
import { nameOf } from './protocol/error-names.ts';
import { listOffsets as listOffsetsRequest } from './protocol/list-offsets.ts';

/** Where in a partition: its ends as Kafka says them, or the first message of that time or later. */
export const earliest = -2n;
export const latest = -1n;

/** What was read is of committed transactions only, or of all. */
const isolation = { committed: 1, all: 0 } as const;

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

interface ListAsking extends Asking {
  readonly of?: keyof typeof isolation;
  /** Whether those are left out of which the leader does not answer now. */
  readonly lenient?: boolean;
}

/** Asks the leaders, as they were known at the last look; by `keyOf`. -1n: there is no such message. Once: rejects with `Again`. */
export async function listOffsets(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  timestamp: bigint,
  { of = 'committed', lenient = false, ...asking }: ListAsking,
): Promise<ReadonlyMap<string, bigint>> {
  const { what } = asking;
  const found = new Map<string, bigint>();
  const leaders = Map.groupBy(partitions, ({ topic, partition }) => cluster.plan(topic)?.leaders[partition] ?? -1);
  const asked = [...leaders].map(async ([leader, theirs]) => {
    const address = cluster.address(leader);
    if (!address) throw complaint('LEADER_NOT_AVAILABLE', { what });
    const topics = [...Map.groupBy(theirs, ({ topic }) => topic)].map(([name, some]) => ({
      name,
      partitions: some.map(({ partition }) => ({ partitionIndex: partition, timestamp })),
    }));
    const ask = { isolationLevel: isolation[of], topics };
    const answer = await cluster.connections.ask(address, listOffsetsRequest, ask, asking);
    let failure: unknown;
    for (const { name: topic, partitions } of answer.topics) {
      for (const { partitionIndex: partition, errorCode, offset } of partitions) {
        if (errorCode === 0) found.set(keyOf({ topic, partition }), offset);
        else failure ??= complaint(nameOf(errorCode), { what, topic });
      }
    }
    if (failure) throw failure;
  });
  await together(asked, lenient);
  return found;
}

/**
 * What a group has committed; nothing for partitions without. Each is asked for by name: of a partition for which it has committed nothing yet, an answer
 * for all there are would not say that a transaction is about to. Once: rejects with `Again`.
 */
export async function committedOffsets(
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[] | 'all',
  asking: Asking,
  undecided: 'wait' | 'ignore' = 'wait',
): Promise<readonly GroupOffset[]> {
  const asked = { what: asking.what, group };
  const address = await cluster.coordinator('group', group, asked, asking);
  const topics = partitions === 'all' ? null : namesOf(partitions);
  const ask = { groups: [{ groupId: group, topics }], requireStable: undecided === 'wait' };
  const answer = await cluster.connections.ask(address, offsetFetch, ask, asking);
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

function namesOf(partitions: readonly TopicPartition[]): { name: string; partitionIndexes: number[] }[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, some]) => ({
    name,
    partitionIndexes: some.map(({ partition }) => partition),
  }));
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
  const ask = { groupId: group, generationId: generation, memberId: member, topics: topicsOf(offsets) };
  const answer = await cluster.connections.ask(coordinator, offsetCommit, ask, asking);
  for (const { name: topic, partitions } of answer.topics) {
    for (const { errorCode } of partitions) cluster.check(errorCode, { what: asking.what, group, topic });
  }
}

/**
 * Without those of topics that were deleted and made again: the group would leave out what stands before them in the new one. `ids`: of the topics as they
 * were. Once: rejects with `Again`.
 */
export async function ofTheSameTopics(
  cluster: Cluster,
  offsets: readonly GroupOffset[],
  ids: ReadonlyMap<string, string>,
  asking: Asking,
): Promise<readonly GroupOffset[]> {
  const plans = await cluster.look([...new Set(offsets.map(({ topic }) => topic))], asking);
  return offsets.filter(({ topic }) => {
    const id = plans.get(topic)?.id;
    return id === undefined || id === (ids.get(topic) ?? id);
  });
}

/** As requests list them. */
export function topicsOf(offsets: readonly GroupOffset[]): CommittedTopic[] {
  return [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, some]) => ({
    name,
    partitions: some.map(({ partition, offset }) => ({ partitionIndex: partition, committedOffset: offset })),
  }));
}

/** Waits for all of them; the first that is refused for good counts, before those that may go better the next time, if those do. */
async function together(asked: readonly Promise<void>[], lenient: boolean): Promise<void> {
  const failed = (await Promise.allSettled(asked)).filter((result) => result.status === 'rejected');
  const [worst] = failed.toSorted((a, b) => Number(a.reason instanceof Again) - Number(b.reason instanceof Again));
  if (worst && !(lenient && worst.reason instanceof Again)) throw worst.reason;
}
