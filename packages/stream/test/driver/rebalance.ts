import { sleep } from '@quorate/core';
import { eventually, seeded } from '@quorate/testbed';
import { expect } from 'vitest';
import { clientOf, contractTest as test } from './contract.ts';
import { type Drivers, drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import { all, type Member, overlaps, sharedFairly, shares } from './member.ts';
import { failure, Stage, series, unique, within } from './stage.ts';
import { Witness } from './witness.ts';

/** Part of the contract of the drivers. */
export function sharesGroups(which: Drivers): void {
  eachDriver(which, 'shares groups, whose members', (name, open) => {
    const client = clientOf('sharing', name);

    test('share the partitions, each of which one of them reads', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 5 });
      const group = unique('g');
      const revoked = (who: Member): Promise<void> => who.commitAll(who.giving);
      const a = await stage.member({ group, topics: [topic], revoked });
      await eventually('it has all', () => a.partitions.length === 5);
      for (const partition of all(5)) await stage.witness.produce(topic, partition, [`before-${partition}`]);
      await eventually('it reads all', () => all(5).every((partition) => a.values(partition).length === 1));
      const b = await stage.member({ group, topics: [topic], revoked });
      await eventually('they share', () => sharedFairly([a, b], 5));
      for (const partition of all(5)) await stage.witness.produce(topic, partition, [`after-${partition}`]);
      const read = (partition: number): string[] => [...a.values(partition), ...b.values(partition)];
      await eventually('all is read', () => all(5).every((partition) => read(partition).length === 2));
      for (const partition of all(5)) expect(read(partition)).toEqual([`before-${partition}`, `after-${partition}`]);
      expect(overlaps([a, b])).toEqual([]);
      expect([a.lostFor, b.lostFor]).toEqual([[], []]);
    });

    test('never have a partition at the same time, however slowly one hands over, as others join and leave', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 6 });
      const group = unique('g');
      let written = 0;
      const write = async (): Promise<void> => {
        for (const partition of all(6)) await stage.witness.produce(topic, partition, [`m-${written}`]);
        written += 1;
      };
      const revoked = async (who: Member): Promise<void> => {
        await sleep(300);
        await who.commitAll(who.giving);
      };
      const [sessionTimeout, handOver] = [3_000, 2_000];
      const members: Member[] = [];
      for (const count of [1, 2, 3]) {
        members.push(await stage.member({ group, topics: [topic], revoked, sessionTimeout, handOver }));
        await write();
        await eventually(`${count} share`, () => sharedFairly(members, 6));
        await write();
      }
      await members[0]?.stop();
      await write();
      await eventually('two share', () => sharedFairly(members.slice(1), 6));
      await write();
      const values = series('m', written);
      const read = (partition: number): string[] => members.flatMap((member) => member.values(partition));
      await eventually('all is read', () => all(6).every((partition) => read(partition).length >= written));
      // They commit as they hand over: nothing is read twice.
      for (const partition of all(6)) expect(read(partition).sort()).toEqual([...values].sort());
      expect(overlaps(members)).toEqual([]);
      expect(members.flatMap(({ lostFor }) => lostFor)).toEqual([]);
    });

    test('are as many as there are, also without a partition for each', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const group = unique('g');
      const [a, b] = [await stage.member({ group, topics: [topic] }), await stage.member({ group, topics: [topic] })];
      await eventually('one has it', () => shares([a, b]).length === 1 && a.assignments > 0 && b.assignments > 0);
      const [owner, idle] = a.partitions.length === 1 ? [a, b] : [b, a];
      await owner.stop();
      await eventually('the other takes over', () => idle.partitions.length === 1);
      await stage.witness.produce(topic, 0, ['x']);
      await eventually('and reads', () => idle.values().length === 1);
      expect(overlaps([a, b])).toEqual([]);
      await idle.stop();
    });

    test('stop at any moment while the group shares out anew', async ({ bed }) => {
      const seed = 9;
      const random = seeded(seed);
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 4 });
      const options = { group: unique('g'), topics: [topic], sessionTimeout: 30_000, handOver: 1_000 };
      const driver = await stage.driver();
      // It hears soon of whatever changes, while none of the others is forgotten soon.
      const stays = await stage.member({ ...options, sessionTimeout: 1_500 }, driver);
      const members = [stays];
      for (let round = 0; round < 4; round += 1) {
        const joining = stage.member(options, driver);
        const other = await stage.member(options, driver);
        await sleep(random.next() * 400);
        const joined = await joining;
        members.push(other, joined);
        await within(6_000, `both stop (round ${round}, seed ${seed})`, Promise.all([other.stop(), joined.stop()]));
      }
      await eventually(`the one that stays has all (seed ${seed})`, () => stays.partitions.length === 4, {
        within: 15_000,
      });
      expect(await stage.witness.members(options.group)).toBe(1);
      expect(overlaps(members)).toEqual([]);
    });

    test('leave no member and no connection when their start is aborted at any moment', async ({ bed }) => {
      const seed = 13;
      const random = seeded(seed);
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const group = unique('g');
      const link = bed.link(client, 'kafka-1');
      await link.set({ latencyMs: 2 });
      const driver = await stage.driver({ brokers: bed.kafka.brokersFor(client) });
      const options = { group, topics: [topic], sessionTimeout: 30_000, handOver: 1_000 };
      await (await stage.member(options, driver)).stop();
      const usual = link.connections;
      const reason = new Error('no longer wanted');
      for (let round = 0; round < 12; round += 1) {
        const controller = new AbortController();
        const start = async (): Promise<void> => {
          const member = await stage.member({ ...options, signal: controller.signal }, driver);
          await member.stop();
        };
        const started = failure(start);
        await sleep(random.next() * 80);
        controller.abort(reason);
        expect([undefined, reason]).toContain(await within(5_000, `it ends (round ${round}, seed ${seed})`, started));
      }
      await eventually('the group is empty', async () => (await stage.witness.members(group)) === 0, { within: 4_000 });
      await eventually('no connection is left', () => link.connections <= usual + 1, { within: 4_000 });
      const last = await stage.member(options, driver);
      await eventually('the next has all, soon', () => last.partitions.length === 2, { within: 4_000 });
      await driver.close();
      await eventually('none at all', () => link.connections === 0, { within: 4_000 });
      await link.heal();
    });

    test('begin under a signal that ends the start alone, not the reader', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const controller = new AbortController();
      const member = await stage.member({ group: unique('g'), topics: [topic], signal: controller.signal });
      await eventually('it begins', () => member.partitions.length === 1);
      controller.abort(new Error('too late'));
      await stage.witness.produce(topic, 0, ['x']);
      await eventually('it reads', () => member.values().length === 1);
      await member.commit(1n);
    });
  });
}

/** Between drivers, and so not beside the others: what stands between two parts that go on side by side makes them wait for each other. */
export function changesDrivers(): void {
  test('members by different drivers share one group, so that a service can change from one to the other', async ({
    bed,
  }) => {
    await using stages = new AsyncDisposableStack();
    const topic = await stages.use(new Witness(bed.kafka.brokers)).topic({ partitions: 5 });
    const options = { group: unique('g'), topics: [topic], revoked: (who: Member) => who.commitAll(who.giving) };
    const members: Member[] = [];
    for (const [, open] of drivers) {
      members.push(await stages.use(new Stage(open, bed.kafka.brokers)).member(options));
      await eventually(`${members.length} share`, () => sharedFairly(members, 5));
    }
    const everybody = [...members];
    while (members.length > 1) {
      await members.shift()?.stop();
      await eventually(`${members.length} share`, () => sharedFairly(members, 5));
    }
    expect(overlaps(everybody)).toEqual([]);
  });
}
