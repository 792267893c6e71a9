import { deadline, isQuorateError } from '@quorate/core';
import type { Driver } from '../driver/driver.ts';
import type { ReadRecord, TopicPartition } from '../driver/record.ts';
import type { GroupOffset } from '../driver/transactor.ts';
import { type Range, readRanges } from '../reading/read-ranges.ts';
import { publishedAt } from '../topic/headers.ts';

export interface GroupReport {
  readonly group: string;
  /** By Kafka's word: `Stable`, `Empty`, `PreparingRebalance` and others; `Unknown` when nobody could be asked. */
  readonly state: string;
  readonly partitions: readonly GroupPartition[];
  /** Why nothing is known of the group; undefined when it could be looked at. */
  readonly trouble: string | undefined;
}

export interface GroupPartition {
  readonly topic: string;
  readonly partition: number;
  /** Where the group goes on; undefined when it has committed nothing there. */
  readonly committed: bigint | undefined;
  /** Undefined while no leader answers. */
  readonly end: bigint | undefined;
  /** Undefined where the end is. */
  readonly lag: bigint | undefined;
  /** When the first message was published that the group has not done, in milliseconds since 1970; undefined when there is none, or it cannot be read now. */
  readonly oldestUnread: number | undefined;
  /** The client id and host of the member that has the partition. */
  readonly member: string | undefined;
}

/** So long it is tried to read the first unread messages of a topic, in milliseconds. */
const readingTakes = 5_000;

type Offsets = ReadonlyMap<number, bigint>;

interface Place extends TopicPartition {
  readonly committed: bigint | undefined;
  readonly member: string | undefined;
}

export async function groupReport(
  driver: Driver,
  group: string,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<GroupReport> {
  const { admin } = driver;
  const [{ state, members }, committed] = await Promise.all([
    admin.describeGroup(group, signal),
    admin.committed(group, topics, signal),
  ]);
  const partitions: GroupPartition[] = [];
  for (const [topic, places] of Map.groupBy(placesOf(members, committed), (place) => place.topic))
    partitions.push(...(await topicPart(driver, topic, places, signal)));
  partitions.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
  return { group, state, partitions, trouble: undefined };
}

function placesOf(
  members: Awaited<ReturnType<Driver['admin']['describeGroup']>>['members'],
  committed: readonly GroupOffset[],
): Place[] {
  const nameOf = ({ topic, partition }: TopicPartition): string => `${topic} ${partition}`;
  const places = new Map<string, Place>();
  for (const { clientId, host, partitions } of members)
    for (const place of partitions)
      places.set(nameOf(place), { ...place, committed: undefined, member: `${clientId} at ${host}` });
  for (const { offset, ...place } of committed)
    places.set(nameOf(place), { ...place, committed: offset, member: places.get(nameOf(place))?.member });
  return [...places.values()];
}

async function topicPart(
  driver: Driver,
  topic: string,
  places: readonly Place[],
  signal: AbortSignal,
): Promise<GroupPartition[]> {
  const ends = await edges(driver, topic, 'latest', signal);
  const begins = await edges(driver, topic, 'earliest', signal);
  const unread = new Map<number, Range>();
  for (const { partition, committed = 0n } of places) {
    const [begin = 0n, to = 0n] = [begins.get(partition), ends.get(partition)];
    let from = committed;
    // What retention has taken is not there to be read.
    if (from < begin) from = begin;
    if (from < to) unread.set(partition, { from, to });
  }
  const times = await firstTimes(driver, topic, unread, signal);
  return places.map(({ partition, committed, member }) => {
    const end = ends.get(partition);
    const from = committed ?? begins.get(partition) ?? 0n;
    const lag = end === undefined ? undefined : end > from ? end - from : 0n;
    return { topic, partition, committed, end, lag, oldestUnread: times.get(partition), member };
  });
}

/** Nothing of a topic that is not there any more, though a member still has partitions of it. */
async function edges(driver: Driver, topic: string, at: 'earliest' | 'latest', signal: AbortSignal): Promise<Offsets> {
  try {
    return await driver.admin.offsets(topic, at, signal, { lenient: true });
  } catch (error) {
    if (signal.aborted || !isQuorateError(error, 'unknown-topic')) throw error;
    return new Map();
  }
}

/** When the first message of each range was published, where it can be read in time. */
async function firstTimes(
  driver: Driver,
  topic: string,
  ranges: ReadonlyMap<number, Range>,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, number>> {
  const times = new Map<number, number>();
  const first = (partition: number, record: ReadRecord): 'enough' => {
    times.set(partition, publishedAt(record));
    return 'enough';
  };
  using limit = deadline(readingTakes, signal);
  try {
    await readRanges(driver, topic, ranges, first, limit.signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.signal.aborted && !isQuorateError(error)) throw error;
  }
  return times;
}
