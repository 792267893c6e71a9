import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import type { Appender } from '../../src/driver/appender.ts';
import type { Driver, DriverName } from '../../src/driver/driver.ts';
import { drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import type { Follower } from './follower.ts';
import type { Member } from './member.ts';
import { batch, endless, offsetsOf, Stage, series, unique, within } from './stage.ts';
import { Witness } from './witness.ts';

// Partitions go back to where they belong at once: brokers lose their leadership also while they are well.
const config = { 'leader.imbalance.check.interval.seconds': 1, 'leader.imbalance.per.broker.percentage': 0 };
const partitions = [0, 1, 2, 3, 4, 5];
const test = bedTest({ kafka: { brokers: 3, config } });

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
class Work {
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

test('all drivers keep what was acknowledged, once and in order, and read it, when a leader is killed, comes back and leads again', async ({
  bed,
}) => {
  await using stages = new AsyncDisposableStack();
  const witness = stages.use(new Witness(bed.kafka.brokers));
  const works: Work[] = [];
  for (const [name, open] of drivers)
    works.push(await Work.by(name, stages.use(new Stage(open, bed.kafka.brokers, { deliveryTimeout: 30_000 }))));
  const goOn = async (what: string): Promise<void> => void (await Promise.all(works.map((work) => work.goesOn(what))));
  await goOn('writes');
  const [first] = works as [Work];
  const { leader } = await witness.partition(first.topic, 0);
  await bed.kafka.broker(leader).kill();
  await goOn('writes without it');
  await bed.kafka.broker(leader).restart();
  await eventually('it leads again', async () => (await witness.partition(first.topic, 0)).leader === leader);
  await goOn('writes to it');
  for (const work of works) await work.end();
  for (const work of works) await work.check(witness);
});

eachDriver('on three brokers', (_name, open) => {
  test('makes a topic that can be written to at once', async ({ bed }) => {
    await using stage = new Stage(open, bed.kafka.brokers, { deliveryTimeout: 5_000 });
    const [driver, other] = [await stage.driver(), await stage.driver()];
    const appender = await other.appender({ signal: endless });
    for (const topic of [unique('t'), unique('t'), unique('t')]) {
      const shape = { partitions: 12, replication: 3, settings: {} };
      expect(await within(10_000, 'it is made', driver.admin.createTopic(topic, shape, endless))).toBe(true);
      const wanted = series('x', 12).map((value, partition) => batch(topic, partition, [value]));
      expect(offsetsOf(await appender.append(wanted))).toEqual(wanted.map(() => 0n));
    }
  });
});
