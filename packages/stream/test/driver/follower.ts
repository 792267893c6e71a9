import type { QuorateError } from '@quorate/core';
import type { Driver } from '../../src/driver/driver.ts';
import type { PartitionReader, PartitionReaderEvents } from '../../src/driver/partition-reader.ts';
import type { ReadRecord, TopicPartition } from '../../src/driver/record.ts';
import { Course } from './course.ts';

export interface FollowerOptions {
  readonly topic: string;
  readonly from: ReadonlyMap<number, bigint>;
  readonly signal?: AbortSignal;
}

/** Reads partitions without a group, writes down what it is told, and complains as a member does. */
export class Follower implements PartitionReaderEvents {
  readonly complaints: string[] = [];
  readonly troubles: (QuorateError | undefined)[] = [];
  readonly missing: [partition: number, count: bigint][] = [];
  readonly #courses: ReadonlyMap<number, Course>;
  readonly #topic: string;
  #reader: PartitionReader | undefined;
  #stopped = false;

  static async of(driver: Driver, options: FollowerOptions): Promise<Follower> {
    const follower = new Follower(options);
    await follower.#begin(driver, options);
    return follower;
  }

  private constructor({ topic, from }: FollowerOptions) {
    this.#topic = topic;
    const course = (partition: number, offset: bigint): Course =>
      new Course(`${topic}-${partition}`, offset, (of) => this.complaints.push(of));
    this.#courses = new Map([...from].map(([partition, offset]) => [partition, course(partition, offset)]));
  }

  async #begin(driver: Driver, { signal = new AbortController().signal, ...options }: FollowerOptions): Promise<void> {
    this.#reader = await driver.readPartitions({ ...options, signal }, this);
  }

  get reader(): PartitionReader {
    if (!this.#reader) throw new Error('it has not begun to read');
    return this.#reader;
  }

  course(partition = 0): Course {
    const course = this.#courses.get(partition);
    if (!course) throw new Error(`partition ${partition} is not read`);
    return course;
  }

  values(partition = 0): string[] {
    return this.course(partition).values;
  }

  async stop(): Promise<void> {
    await this.#reader?.stop();
    this.#stopped = true;
  }

  records(
    { topic, partition }: TopicPartition,
    records: readonly ReadRecord[],
    where: { readonly next: bigint; readonly end: bigint },
  ): void {
    this.#told('records');
    const course = topic === this.#topic ? this.#courses.get(partition) : undefined;
    if (course) course.take(records, where);
    else this.complaints.push(`records of ${topic}-${partition} came, which was not asked for`);
  }

  missed({ partition }: TopicPartition, count: bigint): void {
    this.#told('missed');
    this.missing.push([partition, count]);
    const course = this.course(partition);
    course.goOnAt(course.next + count);
  }

  trouble(error: QuorateError | undefined): void {
    this.#told('trouble');
    this.troubles.push(error);
  }

  #told(what: string): void {
    if (this.#stopped) this.complaints.push(`${what} came after the reader had stopped`);
  }
}
