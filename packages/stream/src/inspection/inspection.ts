import type { Connection } from '../connection.ts';
import { deadTopicOf } from '../consuming/dead-letters.ts';
import type { Driver } from '../driver/driver.ts';
import type { ReadRecord, TopicPartition } from '../driver/record.ts';
import { GroupInUseError } from '../errors/group-in-use-error.ts';
import { UnknownTopicError } from '../errors/unknown-topic-error.ts';
import { readRanges } from '../reading/read-ranges.ts';
import { offsetsAt, type Where } from '../reading/where.ts';
import { headerNames, headersByName, publishedAt } from '../topic/headers.ts';
import { isWhole, redeliver, redelivered } from './redeliver.ts';

export interface TopicReport {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly leader: number;
    readonly begin: bigint;
    readonly end: bigint;
  }[];
}

export interface GroupReport {
  readonly group: string;
  /** By Kafka's word: `Stable`, `Empty`, `PreparingRebalance` and others. */
  readonly state: string;
  readonly partitions: readonly GroupPartition[];
}

export interface GroupPartition {
  readonly topic: string;
  readonly partition: number;
  /** Where the group goes on; undefined when it has committed nothing there. */
  readonly committed: bigint | undefined;
  readonly end: bigint;
  readonly lag: bigint;
  /** When the first message was published that the group has not done, in milliseconds since 1970; undefined when there is none. */
  readonly oldestUnread: number | undefined;
  /** The client id and host of the member that has the partition. */
  readonly member: string | undefined;
}

export interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string | null;
  readonly reason: string;
  readonly error: string;
  readonly attempts: number;
  readonly group: string;
  /** Whether it has been sent again. */
  readonly redelivered: boolean;
  /** Where it stood. */
  readonly origin: { readonly topic: string; readonly partition: number; readonly offset: bigint };
}

interface Wait {
  readonly signal?: AbortSignal;
}

/** Looks at topics and groups; and, where it says so, sets right what went wrong. Made by `stream.inspection`. */
export class Inspection {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Of one topic, or of all but Kafka's own. */
  async topics({ topic, signal }: Wait & { readonly topic?: string } = {}): Promise<readonly TopicReport[]> {
    const { driver, over } = await this.#open(signal);
    const names = topic === undefined ? await driver.admin.topics(over) : [topic];
    const reports: TopicReport[] = [];
    for (const name of [...names].sort()) {
      const leaders = await driver.admin.leaders(name, over);
      if (!leaders && topic !== undefined) throw new UnknownTopicError(topic);
      if (!leaders) continue;
      const [begin, end] = await Promise.all([
        driver.admin.offsets(name, 'earliest', over),
        driver.admin.offsets(name, 'latest', over),
      ]);
      const partitions = leaders.map((leader, partition) => {
        const [from = 0n, to = 0n] = [begin.get(partition), end.get(partition)];
        return { partition, leader, begin: from, end: to };
      });
      reports.push({ topic: name, partitions });
    }
    return reports;
  }

  /** Of one group, or of all. */
  async groups({ group, signal }: Wait & { readonly group?: string } = {}): Promise<readonly GroupReport[]> {
    const { driver, over } = await this.#open(signal);
    const names = group === undefined ? await driver.admin.groups(over) : [group];
    const topics = await driver.admin.topics(over);
    const reports: GroupReport[] = [];
    for (const name of [...names].sort()) reports.push(await groupReport(driver, name, topics, over));
    return reports;
  }

  /** The dead letters of a topic, the oldest of each partition first. At most `limit`, 1,000 by default. */
  async deadLetters(
    topic: string,
    { limit = 1_000, signal }: Wait & { readonly limit?: number } = {},
  ): Promise<readonly DeadLetter[]> {
    const { driver, over } = await this.#open(signal);
    const dead = deadTopicOf(topic);
    const [report] = await this.topics({ topic: dead, signal: over });
    const done = await redelivered(driver.admin, topic, over);
    const letters: DeadLetter[] = [];
    const ranges = new Map(
      (report?.partitions ?? []).map(({ partition, begin, end }) => [partition, { from: begin, to: end }]),
    );
    await readRanges(
      driver,
      dead,
      ranges,
      (partition, { offset, key, headers }) => {
        if (letters.length >= limit) return 'enough';
        const told = headersByName(headers);
        const text = (name: string): string => told[name] ?? '';
        letters.push({
          topic: dead,
          partition,
          offset,
          key: key === null ? null : key.toString(),
          reason: text(headerNames.deadReason),
          error: [text(headerNames.deadError), text(headerNames.deadCut)].filter((part) => part !== '').join('; '),
          attempts: Number(text(headerNames.deadAttempts)),
          group: text(headerNames.deadGroup),
          redelivered: isWhole(headers) && offset < (done.get(partition) ?? 0n),
          origin: {
            topic: text(headerNames.deadTopic),
            partition: Number(text(headerNames.deadPartition)),
            offset: BigInt(/^\d+$/.exec(text(headerNames.deadOffset))?.[0] ?? 0),
          },
        });
        return undefined;
      },
      over,
    );
    return letters;
  }

  /** Sends the dead letters of a topic to it again, after a mend: each once, also when it is called again. Resolves with how many it has sent. */
  async redeliver(topic: string, { signal }: Wait = {}): Promise<number> {
    return redeliver(await this.#connection.open(), topic, this.#connection.until(signal));
  }

  /** Has a group go on somewhere else in a topic: further back, to do it all again, or further on. Refused while the group has members. */
  async rewind(group: string, topic: string, to: Where, { signal }: Wait = {}): Promise<void> {
    const { driver, over } = await this.#open(signal);
    if (!(await driver.admin.leaders(topic, over))) throw new UnknownTopicError(topic);
    const { members } = await driver.admin.describeGroup(group, over);
    if (members.length > 0) throw new GroupInUseError(group, members.length);
    const offsets = await offsetsAt(driver.admin, topic, 'to', to, over);
    const list = [...offsets].map(([partition, offset]) => ({ topic, partition, offset }));
    await driver.admin.commit(group, list, over);
  }

  async #open(signal: AbortSignal | undefined): Promise<{ readonly driver: Driver; readonly over: AbortSignal }> {
    const { driver } = await this.#connection.open();
    return { driver, over: this.#connection.until(signal) };
  }
}

async function groupReport(
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
  const nameOf = ({ topic, partition }: TopicPartition): string => `${topic} ${partition}`;
  const places = new Map<string, TopicPartition & { readonly offset?: bigint }>();
  const holders = new Map<string, string>();
  for (const { clientId, host, partitions } of members) {
    for (const place of partitions) {
      places.set(nameOf(place), place);
      holders.set(nameOf(place), `${clientId} at ${host}`);
    }
  }
  for (const place of committed) places.set(nameOf(place), place);
  // Asked once for each topic, not for each of its partitions.
  const begins = new Map<string, ReadonlyMap<number, bigint>>();
  const ends = new Map<string, ReadonlyMap<number, bigint>>();
  const partitions: GroupPartition[] = [];
  for (const [name, { topic, partition, offset }] of places) {
    const end = await edge(ends, topic, partition, () => admin.offsets(topic, 'latest', signal));
    const from = offset ?? (await edge(begins, topic, partition, () => admin.offsets(topic, 'earliest', signal)));
    const lag = end > from ? end - from : 0n;
    const oldestUnread = lag > 0n ? await timeOf(driver, topic, partition, from, end, signal) : undefined;
    partitions.push({ topic, partition, committed: offset, end, lag, oldestUnread, member: holders.get(name) });
  }
  partitions.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
  return { group, state, partitions };
}

async function edge(
  known: Map<string, ReadonlyMap<number, bigint>>,
  topic: string,
  partition: number,
  ask: () => Promise<ReadonlyMap<number, bigint>>,
): Promise<bigint> {
  const offsets = known.get(topic) ?? (await ask());
  known.set(topic, offsets);
  return offsets.get(partition) ?? 0n;
}

async function timeOf(
  driver: Driver,
  topic: string,
  partition: number,
  from: bigint,
  to: bigint,
  signal: AbortSignal,
): Promise<number | undefined> {
  let time: number | undefined;
  const first = (_: number, record: ReadRecord): 'enough' => {
    time = publishedAt(record);
    return 'enough';
  };
  await readRanges(driver, topic, new Map([[partition, { from, to }]]), first, signal);
  return time;
}
