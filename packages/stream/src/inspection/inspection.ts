import { InvalidArgumentError, isQuorateError } from '@quorate/core';
import type { Connection } from '../connection.ts';
import { deadTopicOf } from '../consuming/dead-letters.ts';
import type { Driver } from '../driver/driver.ts';
import { GroupInUseError } from '../errors/group-in-use-error.ts';
import { UnknownGroupError } from '../errors/unknown-group-error.ts';
import { UnknownTopicError } from '../errors/unknown-topic-error.ts';
import { readRanges } from '../reading/read-ranges.ts';
import { offsetsAt, type Where } from '../reading/where.ts';
import { headerNames, headersByName, isMark } from '../topic/headers.ts';
import { type GroupReport, groupReport } from './group-report.ts';
import { isWhole, redeliver } from './redeliver.ts';
import { redelivered } from './redelivered.ts';
import { sideBySide } from './side-by-side.ts';

export interface TopicReport {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly leader: number;
    /** Undefined, as the end is, while no leader answers. */
    readonly begin: bigint | undefined;
    readonly end: bigint | undefined;
  }[];
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
    if (topic !== undefined) checkName('topic', topic);
    const { driver, over } = await this.#open(signal);
    const names = topic === undefined ? await driver.admin.topics(over) : [topic];
    const reports = await sideBySide([...names].sort(), (name) => topicReport(driver, name, over));
    if (topic !== undefined && !reports[0]) throw new UnknownTopicError(topic);
    return reports.filter((report) => report !== undefined);
  }

  /** Of one group, or of all. Of all, one that cannot be looked at is told with the reason, and stands in nobody's way. */
  async groups({ group, signal }: Wait & { readonly group?: string } = {}): Promise<readonly GroupReport[]> {
    if (group !== undefined) checkName('group', group);
    const { driver, over } = await this.#open(signal);
    const names = group === undefined ? await driver.admin.groups(over) : [group];
    const topics = await driver.admin.topics(over);
    const reports = await sideBySide([...names].sort(), async (name) => {
      try {
        return await groupReport(driver, name, topics, over);
      } catch (error) {
        if (group !== undefined || over.aborted || !isQuorateError(error)) throw error;
        return { group: name, state: 'Unknown', partitions: [], trouble: error.message };
      }
    });
    const [only] = reports;
    if (group !== undefined && only?.state === 'Dead' && only.partitions.length === 0)
      throw new UnknownGroupError(group);
    return reports;
  }

  /** The dead letters of a topic, the oldest of each partition first. At most `limit`, 1,000 by default. */
  async deadLetters(
    topic: string,
    { limit = 1_000, signal }: Wait & { readonly limit?: number } = {},
  ): Promise<readonly DeadLetter[]> {
    checkName('topic', topic);
    if (!(limit >= 0)) throw new InvalidArgumentError('limit', 'a number of at least 0', limit);
    const { driver, over } = await this.#open(signal);
    const dead = deadTopicOf(topic);
    const [report] = await this.topics({ topic: dead, signal: over });
    const letters: DeadLetter[] = [];
    const ranges = new Map(
      (report?.partitions ?? []).map(({ partition, begin = 0n, end = 0n }) => [partition, { from: begin, to: end }]),
    );
    const done = await redelivered(driver, topic, ranges, over);
    await readRanges(
      driver,
      dead,
      ranges,
      (partition, { offset, key, headers }) => {
        if (letters.length >= limit) return 'enough';
        if (isMark(dead, { headers })) return undefined;
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
    checkName('topic', topic);
    const over = this.#connection.until(signal);
    return redeliver(await this.#connection.open(), topic, over);
  }

  /** Has a group go on somewhere else in a topic: further back, to do it all again, or further on. Refused while the group has members. */
  async rewind(group: string, topic: string, to: Where, { signal }: Wait = {}): Promise<void> {
    checkName('group', group);
    checkName('topic', topic);
    const { driver, over } = await this.#open(signal);
    if (!(await driver.admin.leaders(topic, over))) throw new UnknownTopicError(topic);
    const { members } = await driver.admin.describeGroup(group, over);
    if (members.length > 0) throw new GroupInUseError(group, members.length);
    const offsets = await offsetsAt(driver.admin, topic, 'to', to, over);
    const list = [...offsets].map(([partition, offset]) => ({ topic, partition, offset }));
    await driver.admin.commit(group, list, over);
  }

  async #open(signal: AbortSignal | undefined): Promise<{ readonly driver: Driver; readonly over: AbortSignal }> {
    const over = this.#connection.until(signal);
    const { driver } = await this.#connection.open();
    return { driver, over };
  }
}

/** Groups of others can have any name. */
function checkName(option: string, name: unknown): void {
  if (typeof name !== 'string' || name === '' || name.length > 249)
    throw new InvalidArgumentError(option, 'text of 1 to 249 characters', name);
}

/** Undefined where there is no such topic. */
async function topicReport({ admin }: Driver, topic: string, signal: AbortSignal): Promise<TopicReport | undefined> {
  const leaders = await admin.leaders(topic, signal);
  if (!leaders) return undefined;
  const [begin, end] = await Promise.all([
    admin.offsets(topic, 'earliest', signal, { lenient: true }),
    admin.offsets(topic, 'latest', signal, { lenient: true }),
  ]);
  const partitions = leaders.map((leader, partition) => ({
    partition,
    leader,
    begin: begin.get(partition),
    end: end.get(partition),
  }));
  return { topic, partitions };
}
