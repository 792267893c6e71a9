import { sleep } from '@quorate/core';
import { eventually, seeded } from '@quorate/testbed';
import { expect } from 'vitest';
import type { RecordBatch } from '../../src/driver/record.ts';
import { clientOf, contractTest as test } from './contract.ts';
import { drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import { pausesOne } from './pausing.ts';
import { endless, failure, oddRecords, offsetsOf, record, Stage, series, unique, within } from './stage.ts';

/** Besides those of tests that are under way at the same time. */
const groups = async ({ witness }: Stage): Promise<string[]> =>
  (await witness.groups()).filter((group) => !group.startsWith('g-'));

/** Part of the contract of the drivers. */
export function readsPartitions(): void {
  eachDriver(drivers, 'reads partitions without a group', (name, open) => {
    const client = clientOf('partitions', name);

    test('from the offsets that were given, and no others', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 4 });
      for (const partition of [0, 1, 2, 3]) await stage.witness.produce(topic, partition, series(`p${partition}`, 5));
      const from = new Map([
        [0, 0n],
        [1, 3n],
        [2, 5n],
      ]);
      const follower = await stage.follower({ topic, from });
      await eventually('it has read all', () => follower.values(0).length === 5 && follower.values(1).length === 2);
      for (const partition of [0, 1, 2, 3]) await stage.witness.produce(topic, partition, [`late-${partition}`]);
      await eventually('what is new as well', () => [0, 1, 2].every((p) => follower.values(p).includes(`late-${p}`)));
      expect(follower.values(0)).toEqual([...series('p0', 5), 'late-0']);
      expect(follower.values(1)).toEqual(['p1-3', 'p1-4', 'late-1']);
      expect(follower.values(2)).toEqual(['late-2']);
      await eventually('it knows that it is at the end', () => [0, 1, 2].every((p) => follower.course(p).lag === 0n));
      expect(follower.course(0).end).toBe(6n);
      expect(follower.missing).toEqual([]);
    });

    test('as two readers at once, each of which sees all, and leaves nothing of them in Kafka', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const before = await groups(stage);
      await stage.witness.produce(topic, 0, series('a', 3));
      const from = new Map([
        [0, 0n],
        [1, 0n],
      ]);
      const driver = await stage.driver();
      const followers = [await stage.follower({ topic, from }, driver), await stage.follower({ topic, from }, driver)];
      await stage.witness.produce(topic, 1, series('b', 3));
      await eventually('both have read all', () =>
        followers.every((follower) => follower.values(0).length === 3 && follower.values(1).length === 3),
      );
      const [first, second] = followers;
      await first?.stop();
      await first?.stop();
      await stage.witness.produce(topic, 0, ['later']);
      await eventually('the other one goes on', () => second?.values(0).includes('later'));
      expect(first?.values(0)).toEqual(series('a', 3));
      await second?.stop();
      await eventually('no group is left', async () => {
        expect(await groups(stage)).toEqual(before);
        return true;
      });
    });

    test('and is told of every message from when it has begun', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const driver = await stage.driver();
      for (const round of [0, 1, 2]) {
        const from = await driver.admin.offsets(topic, 'latest', endless);
        const follower = await stage.follower({ topic, from }, driver);
        await stage.witness.produce(topic, 0, [`at-once-${round}`]);
        const begun = performance.now();
        await eventually('it has it', () => follower.values().length === 1);
        // Nobody polls: a fetch that waits is answered.
        expect(performance.now() - begun).toBeLessThan(500);
        expect(follower.values()).toEqual([`at-once-${round}`]);
        await follower.stop();
      }
    });

    test('with keys, values, headers and times as they were written', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      await (await stage.appender()).append([{ topic, partition: 0, records: oddRecords }]);
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
      await eventually('both', () => follower.values().length === 2);
      expect(follower.course().records).toEqual(
        oddRecords.map((record, index) => ({ ...record, offset: BigInt(index) })),
      );
    });

    test('and misses as many messages as retention has taken from it, and says so', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      await stage.witness.produce(topic, 0, series('a', 10));
      await stage.witness.deleteRecords(topic, 0, 4n);
      const from = new Map([
        [0, 1n],
        [1, 0n],
      ]);
      const follower = await stage.follower({ topic, from });
      await eventually('it has read the rest', () => follower.values().length === 6);
      expect(follower.missing).toEqual([[0, 3n]]);
      expect(follower.values()[0]).toBe('a-4');
      // While it reads. What was asked for before the pause is answered with the other partition.
      follower.reader.pause({ topic, partition: 0 });
      for (const value of series('other', 3)) {
        await stage.witness.produce(topic, 1, [value]);
        await eventually(value, () => follower.values(1).includes(value));
      }
      await stage.witness.produce(topic, 0, series('b', 10));
      await stage.witness.deleteRecords(topic, 0, 18n);
      follower.reader.resume({ topic, partition: 0 });
      await eventually('it goes on', () => follower.values().includes('b-9'));
      expect(follower.missing).toEqual([
        [0, 3n],
        [0, 8n],
      ]);
      expect(follower.values().slice(-2)).toEqual(['b-8', 'b-9']);
    });

    test('and goes on over what compaction has taken, which is nothing that it has missed', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const settings = { 'cleanup.policy': 'compact', 'segment.ms': '1000', 'min.cleanable.dirty.ratio': '0.001' };
      const topic = await stage.topic({ settings });
      const appender = await stage.appender();
      const [now, key] = [Date.now(), Buffer.from('k')];
      const keyed = (value: string, timestamp: number): RecordBatch => ({
        topic,
        partition: 0,
        records: [record(value, { key, timestamp })],
      });
      for (const value of series('v', 10)) offsetsOf(await appender.append([keyed(value, now - 60_000)]));
      // So much later that it stands in a segment of its own: what is before it can be compacted.
      offsetsOf(await appender.append([keyed('last', now)]));
      const kept = ['v-9', 'last'];
      await eventually('it is compacted', async () => (await stage.witness.values(topic)).join() === kept.join());
      for (const from of [0n, 3n]) {
        const follower = await stage.follower({ topic, from: new Map([[0, from]]) });
        await eventually('it comes to the end', () => follower.course().next === 11n && follower.course().lag === 0n);
        expect([follower.values(), follower.missing]).toEqual([kept, []]);
      }
      const member = await stage.member({ group: unique('g'), topics: [topic] });
      await eventually('it comes to the end', () => member.course().next === 11n && member.course().lag === 0n);
      expect([member.values(), member.missed]).toEqual([kept, 0n]);
    });

    test('and pauses one while the others go on', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const from = new Map([
        [0, 0n],
        [1, 0n],
      ]);
      const follower = await stage.follower({ topic, from });
      await pausesOne(follower, topic, stage.witness);
    });

    test('and goes on by itself when connections were lost, and says that something was wrong, and that it is well', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const link = bed.link(client, 'kafka-1');
      const driver = await stage.driver({ brokers: bed.kafka.brokersFor(client), requestTimeout: 1_000 });
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) }, driver);
      const random = seeded(3);
      for (let round = 0; round < 5; round += 1) {
        await stage.witness.produce(topic, 0, series(`r${round}`, 3));
        await sleep(random.next() * 10);
        await link.reset();
        await eventually('it has read them', () => follower.values().length === 3 * (round + 1));
      }
      expect(follower.values()).toEqual([0, 1, 2, 3, 4].flatMap((round) => series(`r${round}`, 3)));
      await eventually('all is well', () => follower.troubles.at(-1) === undefined);
      for (const fault of [{ refuse: true }, { blackHole: true }] as const) {
        const told = follower.troubles.length;
        await link.set(fault);
        await eventually('it says so', () => follower.troubles.length > told, { within: 10_000 });
        expect(follower.troubles.at(-1)).toMatchObject({ code: expect.any(String), happened: expect.any(String) });
        await stage.witness.produce(topic, 0, ['meanwhile']);
        await link.heal();
        const count = follower.values().length;
        await eventually('it goes on', () => follower.values().length === count + 1, { within: 10_000 });
        await eventually('and says that all is well', () => follower.troubles.at(-1) === undefined);
      }
    });

    test('and stops soon, when nobody answers', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const link = bed.link(client, 'kafka-1');
      const driver = await stage.driver({ brokers: bed.kafka.brokersFor(client) });
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) }, driver);
      await link.set({ blackHole: true });
      await within(4_000, 'it stops', follower.stop());
      await within(4_000, 'it closes', driver.close());
      await link.heal();
      await eventually('no connection is left', () => link.connections === 0);
    });

    test('and leaves nothing when its start is aborted at any moment', async ({ bed }) => {
      const seed = 5;
      const random = seeded(seed);
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      await stage.witness.produce(topic, 0, ['x']);
      const before = await groups(stage);
      const link = bed.link(client, 'kafka-1');
      const driver = await stage.driver({ brokers: bed.kafka.brokersFor(client) });
      const once = async (signal: AbortSignal): Promise<void> => {
        const follower = await stage.follower({ topic, from: new Map([[0, 0n]]), signal }, driver);
        await follower.stop();
      };
      await once(endless);
      const usual = link.connections;
      const reason = new Error('no longer wanted');
      await Promise.all(
        series('start', 20).map(async () => {
          const controller = new AbortController();
          const started = failure(() => once(controller.signal));
          await sleep(random.next() * 60);
          controller.abort(reason);
          expect([undefined, reason]).toContain(await within(3_000, 'it ends', started));
        }),
      );
      await eventually(`no connection is left (seed ${seed})`, () => link.connections <= usual + 1, { within: 5_000 });
      await driver.close();
      await eventually('none at all', () => link.connections === 0, { within: 5_000 });
      await eventually('no group is left', async () => {
        expect(await groups(stage)).toEqual(before);
        return true;
      });
    });
  });
}
