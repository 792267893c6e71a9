import { eventually } from '@quorate/testbed';
import { expect } from 'vitest';
import type { Appender } from '../../src/driver/appender.ts';
import type { Driver, DriverName } from '../../src/driver/driver.ts';
import type { Follower } from './follower.ts';
import type { Member } from './member.ts';
import { batch, endless, type Stage, series, unique } from './stage.ts';
import type { Witness } from './witness.ts';

/** Those of each topic. */
const partitions = [0, 1, 2, 3, 4, 5];

/** Appends to some partitions without a pause, and knows what it was told of each record. */
class Writer {
  readonly acknowledged = new Map<number, { readonly value: string; readonly offset: bigint }[]>();
  readonly denied: string[] = [];
  readonly failures: string[] = [];
  #over = false;
  #done: Promise<void> | undefined;

  constructor(driver: Driver, topic: string, partitions: readonly number[]) {
    for (const partition of partitions) this.acknowledged.set(partition, []);
    this.#done = this.#write(driver, topic, partitions);
  }

  async #write(driver: Driver, topic: string, partitions: readonly number[]): Promise<void> {
    let appender: Appender = await driver.appender({ signal: endless });
    for (let round = 0; !this.#over; round += 1) {
      const values = partitions.map((partition) => series(`${partition}-${round}`, 2));
      const wanted = partitions.map((partition, index) => batch(topic, partition, values[index] ?? []));
      const outcomes = await appender.append(wanted);
      for (const [index, { offset, error }] of outcomes.entries()) {
        const written = values[index] ?? [];
        const kept = this.acknowledged.get(partitions[index] ?? -1);
        if (offset !== undefined)
          written.forEach((value, place) => void kept?.push({ value, offset: offset + BigInt(place) }));
        if (error?.happened === 'no') this.denied.push(...written);
        if (error) this.failures.push(`${error.code}: ${error.message}`);
      }
      if (outcomes.some(({ error }) => error?.happened === 'unknown')) {
        await appender.close();
        appender = await driver.appender({ signal: endless });
      }
    }
    await appender.close();
  }

  /** How far the partition with the fewest acknowledgements has come. */
  get least(): number {
    return Math.min(...[...this.acknowledged.values()].map(({ length }) => length));
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#done;
  }
}

/** One driver at work on a topic of its own: two writers, and two who read it all. */
export class Work {
  readonly name: DriverName;
  readonly topic: string;
  readonly #writers: readonly Writer[];
  readonly #member: Member;
  readonly #follower: Follower;

  static async by(name: DriverName, stage: Stage): Promise<Work> {
    const topic = await stage.topic({ partitions: partitions.length, replication: 3 });
    const member = await stage.member({ group: unique('g'), topics: [topic] });
    const from = new Map(partitions.map((partition) => [partition, 0n]));
    const follower = await stage.follower({ topic, from });
    const driver = await stage.driver();
    const writers = [new Writer(driver, topic, partitions.slice(0, 3)), new Writer(driver, topic, partitions.slice(3))];
    return new Work(name, topic, writers, member, follower);
  }

  private constructor(name: DriverName, topic: string, writers: readonly Writer[], member: Member, follower: Follower) {
    this.name = name;
    this.topic = topic;
    this.#writers = writers;
    this.#member = member;
    this.#follower = follower;
  }

  async goesOn(what: string): Promise<void> {
    const before = this.#writers.map(({ least }) => least);
    await eventually(`${this.name}: ${what}`, () =>
      this.#writers.every(({ least }, index) => least > (before[index] ?? 0) + 20),
    );
  }

  async end(): Promise<void> {
    for (const writer of this.#writers) await writer.end();
  }

  /** What was said agrees with the log, and so does what was read. */
  async check(witness: Witness): Promise<void> {
    const { name, topic } = this;
    for (const { acknowledged, denied, failures } of this.#writers) {
      for (const [partition, kept] of acknowledged) {
        const log = await witness.log(topic, partition);
        const values = log.map(({ value }) => String(value));
        expect(new Set(values).size, name).toBe(values.length);
        const said = new Set(kept.map(({ value }) => value));
        const there = log.map(({ value, offset }) => ({ value: String(value), offset }));
        expect(
          there.filter(({ value }) => said.has(value)),
          name,
        ).toEqual(kept);
        expect(
          denied.filter((value) => values.includes(value)),
          name,
        ).toEqual([]);
        const [follower, member] = [this.#follower, this.#member];
        await eventually(`${name} has read all`, () => follower.values(partition).length >= values.length);
        expect(follower.values(partition), name).toEqual(values);
        await eventually(`${name} has read all`, () => member.values(partition).at(-1) === values.at(-1));
        // Who has lost its membership reads again what it had not committed.
        if (member.lostFor.length === 0) expect(member.values(partition), name).toEqual(values);
        expect(new Set(member.values(partition)), name).toEqual(new Set(values));
      }
      // There was always a leader within the time that a delivery may take.
      expect(failures, name).toEqual([]);
    }
  }
}
