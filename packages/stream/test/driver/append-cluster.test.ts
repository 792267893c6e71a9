import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import type { Appender } from '../../src/driver/appender.ts';
import type { Driver } from '../../src/driver/driver.ts';
import { drivers } from './drivers.ts';
import { batch, endless, offsetsOf, Stage, series, unique, within } from './stage.ts';

// Partitions go back to where they belong at once: brokers lose their leadership also while they are well.
const config = { 'leader.imbalance.check.interval.seconds': 1, 'leader.imbalance.per.broker.percentage': 0 };
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

describe.each(drivers)('the %s driver on three brokers', (_name, open) => {
  test('keeps what was acknowledged, once and in order, and reads it, when a leader is killed, comes back and leads again', async ({
    bed,
  }) => {
    await using stage = new Stage(open, bed.kafka.brokers, { deliveryTimeout: 30_000 });
    const topic = await stage.topic({ partitions: 6, replication: 3 });
    const driver = await stage.driver();
    const [group, partitions] = [unique('g'), [0, 1, 2, 3, 4, 5]];
    const member = await stage.member({ group, topics: [topic] });
    const from = new Map(partitions.map((partition) => [partition, 0n]));
    const follower = await stage.follower({ topic, from });
    const writers = [new Writer(driver, topic, [0, 1, 2]), new Writer(driver, topic, [3, 4, 5])];
    const goOn = async (what: string): Promise<void> => {
      const before = writers.map(({ least }) => least);
      await eventually(what, () => writers.every(({ least }, index) => least > (before[index] ?? 0) + 20));
    };
    await goOn('they write');
    const { leader } = await stage.witness.partition(topic, 0);
    await bed.kafka.broker(leader).kill();
    await goOn('they write without it');
    await bed.kafka.broker(leader).restart();
    await eventually('it leads again', async () => (await stage.witness.partition(topic, 0)).leader === leader);
    await goOn('they write to it');
    for (const writer of writers) await writer.end();
    // Whoever reads meanwhile sees all of it, in order.
    for (const partition of partitions) {
      const values = await stage.witness.values(topic, partition);
      await eventually('it is read', () => follower.values(partition).length >= values.length);
      expect(follower.values(partition)).toEqual(values);
      await eventually('it is read by the group', () => member.values(partition).at(-1) === values.at(-1));
      expect(member.lostFor.length > 0 || member.values(partition).join() === values.join()).toBe(true);
      expect(new Set(member.values(partition))).toEqual(new Set(values));
    }
    for (const { acknowledged, denied, failures } of writers) {
      for (const [partition, kept] of acknowledged) {
        const log = await stage.witness.log(topic, partition);
        const values = log.map(({ value }) => value);
        expect(new Set(values).size).toBe(values.length);
        const of = new Set(kept.map(({ value }) => value));
        const there = log.filter(({ value }) => of.has(value ?? '')).map(({ value, offset }) => ({ value, offset }));
        expect(there).toEqual(kept);
        expect(denied.filter((value) => values.includes(value))).toEqual([]);
      }
      // There was always a leader within the time that a delivery may take.
      expect(failures).toEqual([]);
    }
  });

  test('makes a topic that can be written to at once', async ({ bed }) => {
    await using stage = new Stage(open, bed.kafka.brokers, { deliveryTimeout: 2_000 });
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
