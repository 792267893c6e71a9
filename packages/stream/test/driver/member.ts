import type { QuorateError } from '@quorate/core';
import type { Driver } from '../../src/driver/driver.ts';
import type { Assigned, GroupReader, GroupReaderEvents, GroupReaderOptions } from '../../src/driver/group-reader.ts';
import type { ReadRecord, TopicPartition } from '../../src/driver/record.ts';
import type { GroupIdentity } from '../../src/driver/transactor.ts';
import { Course } from './course.ts';

/** From when to when a member had a partition. */
export interface Tenure {
  readonly partition: number;
  readonly from: number;
  /** Infinity while it lasts; undefined when it ended without notice. */
  to: number | undefined;
}

export interface MemberOptions extends Partial<Omit<GroupReaderOptions, 'topics'>> {
  readonly group: string;
  readonly topics: readonly string[];
  /** What the member does while its partitions are taken from it. */
  readonly revoked?: (member: Member) => Promise<void>;
  /** What it does in the moment in which records come. */
  readonly took?: (member: Member, partition: TopicPartition) => void;
}

/** A member of a group that writes down what it is told, and complains of all that a reader promises never to do. */
export class Member implements GroupReaderEvents {
  readonly complaints: string[] = [];
  readonly tenures: Tenure[] = [];
  readonly lostFor: QuorateError[] = [];
  /** In order; undefined: all well again. */
  readonly troubles: (QuorateError | undefined)[] = [];
  /** When the confirmed requests were sent, and when it was told. */
  readonly confirmations: { readonly sent: number; readonly told: number }[] = [];
  /** How often `revoked` began, and how often it was over. */
  revocations = 0;
  handedOver = 0;
  assignments = 0;
  missed = 0n;
  /** What it has now. */
  held: readonly Assigned[] = [];
  /** What it had when `revoked` began. */
  giving: readonly Assigned[] = [];
  /** As whom it has it. */
  as: GroupIdentity | undefined;
  readonly #options: MemberOptions;
  readonly #handOver: number;
  readonly #courses = new Map<string, Course>();
  readonly #began = performance.now();
  #reader: GroupReader | undefined;
  #revokingSince: number | undefined;
  #stopped = false;

  static async join(driver: Driver, options: MemberOptions): Promise<Member> {
    const member = new Member(options);
    await member.#join(driver);
    return member;
  }

  private constructor(options: MemberOptions) {
    this.#options = options;
    this.#handOver = options.handOver ?? 1_000;
  }

  async #join(driver: Driver): Promise<void> {
    const {
      group,
      topics,
      from = 'earliest',
      sessionTimeout = 6_000,
      signal = new AbortController().signal,
    } = this.#options;
    const handOver = this.#handOver;
    this.#reader = await driver.readGroup({ group, topics, from, sessionTimeout, handOver, signal }, this);
  }

  /** Undefined while it starts: events may come before. */
  get begun(): GroupReader | undefined {
    return this.#reader;
  }

  get reader(): GroupReader {
    if (!this.#reader) throw new Error('it has not begun to read');
    return this.#reader;
  }

  /** The numbers of its partitions, of all topics. */
  get partitions(): number[] {
    return this.held.map(({ partition }) => partition).sort((a, b) => a - b);
  }

  course(partition = 0, topic: string = this.#options.topics[0] ?? ''): Course {
    const name = `${topic}-${partition}`;
    const course = this.#courses.get(name) ?? new Course(name, 0n, (of) => this.#complain(of));
    this.#courses.set(name, course);
    return course;
  }

  /** All that came, by partition, in the order in which it came. */
  values(partition = 0): string[] {
    return this.course(partition).values;
  }

  commit(offset: bigint, partition = 0, topic: string = this.#options.topics[0] ?? ''): Promise<void> {
    return this.reader.commit([{ topic, partition, offset }]);
  }

  /** As far as it has read. */
  commitAll(partitions: readonly TopicPartition[] = this.held): Promise<void> {
    return this.reader.commit(
      partitions.map(({ topic, partition }) => ({ topic, partition, offset: this.course(partition, topic).next })),
    );
  }

  async stop(): Promise<void> {
    await this.#reader?.stop();
    this.#stopped = true;
  }

  assigned(partitions: readonly Assigned[], as: GroupIdentity): void {
    this.#told('assigned', 'quietly');
    if (this.held.length > 0) this.#complain('assigned came where neither revoked nor lost had been');
    this.assignments += 1;
    this.held = partitions;
    this.as = as;
    for (const { topic, partition, offset, missed } of partitions) {
      this.missed += missed;
      this.course(partition, topic).goOnAt(offset);
      this.tenures.push({ partition, from: performance.now(), to: Number.POSITIVE_INFINITY });
    }
  }

  async revoked(): Promise<void> {
    this.#told('revoked', 'quietly');
    if (this.assignments === 0) this.#complain('revoked came before assigned');
    this.revocations += 1;
    const since = performance.now();
    this.#revokingSince = since;
    this.giving = this.held;
    this.held = [];
    const open = this.tenures.filter(({ to }) => to === Number.POSITIVE_INFINITY);
    // Whatever the member does: others may have the partitions from then on.
    for (const tenure of open) tenure.to = since + this.#handOver;
    try {
      await this.#options.revoked?.(this);
    } finally {
      const now = performance.now();
      for (const tenure of open) if (tenure.to !== undefined) tenure.to = Math.min(now, tenure.to);
      this.handedOver += 1;
      if (this.#revokingSince === since) this.#revokingSince = undefined;
    }
  }

  lost(reason: QuorateError): void {
    this.#told('lost');
    this.lostFor.push(reason);
    this.held = [];
    this.#revokingSince = undefined;
    const now = performance.now();
    for (const tenure of this.tenures) if (tenure.to !== undefined && tenure.to > now) tenure.to = undefined;
  }

  records(
    partition: TopicPartition,
    records: readonly ReadRecord[],
    where: { readonly next: bigint; readonly end: bigint },
  ): void {
    this.#told('records', 'quietly');
    const name = `${partition.topic}-${partition.partition}`;
    const ours = this.held.some((held) => held.topic === partition.topic && held.partition === partition.partition);
    if (!ours) this.#complain(`records of ${name} came, which was not assigned`);
    this.course(partition.partition, partition.topic).take(records, where);
    this.#options.took?.(this, partition);
  }

  confirmed(at: number): void {
    this.#told('confirmed', 'quietly');
    const told = performance.now();
    if (at > told) this.#complain('a membership was confirmed in the future');
    if (at < this.#began) this.#complain('a membership was confirmed before it began');
    this.confirmations.push({ sent: at, told });
  }

  trouble(error: QuorateError | undefined): void {
    this.#told('trouble');
    this.troubles.push(error);
  }

  #told(what: string, how?: 'quietly'): void {
    if (this.#stopped) this.#complain(`${what} came after the reader had stopped`);
    const revoking = this.#revokingSince;
    // A timer may fire a little before the clock says so.
    if (how && revoking !== undefined && performance.now() < revoking + this.#handOver - 5)
      this.#complain(`${what} came while revoked was not over`);
  }

  #complain(of: string): void {
    if (this.complaints.length < 20) this.complaints.push(of);
  }
}

/** Where two members had a partition at the same time, though both were told in time. */
export function overlaps(members: readonly Member[]): string[] {
  const found: string[] = [];
  for (const [index, member] of members.entries()) {
    for (const other of members.slice(index + 1)) {
      for (const a of member.tenures) {
        for (const b of other.tenures) {
          if (a.partition !== b.partition || a.to === undefined || b.to === undefined) continue;
          const both = Math.min(a.to, b.to) - Math.max(a.from, b.from);
          if (both > 5) found.push(`two members had partition ${a.partition} for ${Math.round(both)} ms`);
        }
      }
    }
  }
  return found;
}

/** The numbers of so many partitions. */
export function all(count: number): number[] {
  return Array.from({ length: count }, (_, partition) => partition);
}

/** The partitions of these members, in order. */
export function shares(members: readonly Member[]): number[] {
  return members.flatMap(({ partitions }) => partitions).sort();
}

/** Each partition is one member's, and no member has more than one more than another. */
export function sharedFairly(members: readonly Member[], count: number): boolean {
  const sizes = members.map(({ partitions }) => partitions.length);
  return shares(members).join() === all(count).join() && Math.max(...sizes) - Math.min(...sizes) <= 1;
}
