import { sleep } from '@quorate/core';
import { eventually } from '@quorate/testbed';
import { expect } from 'vitest';
import { contractTest as test } from './contract.ts';
import type { Drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import { all, type Member, overlaps, sharedFairly, shares } from './member.ts';
import { failure, Stage, series, unique, within } from './stage.ts';

/** Part of the contract of the drivers. */
export function handsOver(which: Drivers): void {
  eachDriver(which, 'shares groups, whose members', (_name, open) => {
    test('give up their partitions when handing over takes longer than it may, and cannot commit then', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      await stage.witness.produce(topic, 0, series('m', 5));
      await stage.witness.produce(topic, 1, series('m', 5));
      const group = unique('g');
      // Far apart: on a busy machine the shorter one takes seconds.
      const [sessionTimeout, handOver] = [15_000, 600];
      const { promise: waiting, resolve: goOn } = Promise.withResolvers<number>();
      let late: Promise<unknown> | undefined;
      const revoked = async (who: Member): Promise<void> => {
        if (who.revocations > 1) return;
        const partition = await waiting;
        late = failure(() => who.commit(1n, partition));
        await late;
      };
      const slow = await stage.member({ group, topics: [topic], revoked, sessionTimeout, handOver });
      await eventually('it has both', () => slow.partitions.length === 2);
      const begun = performance.now();
      const other = await stage.member({ group, topics: [topic], sessionTimeout, handOver });
      await eventually('the other has a partition', () => other.partitions.length >= 1);
      expect(performance.now() - begun).toBeLessThan(sessionTimeout - 5_000);
      const [taken = 0] = other.partitions;
      await eventually('it reads', () => other.values(taken).length === 5);
      await other.commit(5n, taken);
      goOn(taken);
      await eventually('the slow one is done', () => late);
      expect(await late).toMatchObject({ code: 'not-a-member', happened: 'no', group });
      await eventually('both read', () => sharedFairly([slow, other], 2));
      expect(await stage.witness.committed(group, topic, taken)).toBe(5n);
      expect(overlaps([slow, other])).toEqual([]);
    });

    test('begin where the one before has committed while it handed over', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 4 });
      for (const partition of all(4)) await stage.witness.produce(topic, partition, series('m', 10));
      const group = unique('g');
      const revoked = async (who: Member): Promise<void> => {
        for (const { partition } of who.giving) await who.commit(BigInt(partition + 3), partition);
      };
      const a = await stage.member({ group, topics: [topic], revoked });
      await eventually('it has all', () => a.partitions.length === 4);
      const b = await stage.member({ group, topics: [topic] });
      await eventually('they share', () => sharedFairly([a, b], 4));
      for (const { partition, offset } of [...a.held, ...b.held]) expect(offset).toBe(BigInt(partition + 3));
    });

    test('cannot commit any more when they have handed over', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      await stage.witness.produce(topic, 0, series('m', 5));
      const group = unique('g');
      // They hear soon that the group shares out anew, but one of them takes longer to hand over.
      const options = { group, topics: [topic], sessionTimeout: 1_500, handOver: 1_300 };
      const a = await stage.member(options);
      await eventually('it has both', () => a.partitions.length === 2);
      await a.commit(3n, 0);
      const slow = await stage.member({ ...options, revoked: () => sleep(1_000) });
      await eventually('they share', () => sharedFairly([a, slow], 2));
      const before = a.handedOver;
      const third = stage.member(options);
      await eventually('it has handed over', () => a.handedOver > before && slow.revocations > slow.handedOver, {
        every: 2,
      });
      expect(await failure(() => a.commit(1n, 0))).toMatchObject({ code: 'not-a-member', happened: 'no', group });
      expect(await stage.witness.committed(group, topic, 0)).toBe(3n);
      const joined = await third;
      await eventually('all is well again', () => shares([a, slow, joined]).join() === '0,1');
      expect(overlaps([a, slow, joined])).toEqual([]);
    });

    test('leave at once when they stop: the next need not wait for the session to end', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const options = { group: unique('g'), topics: [topic], sessionTimeout: 30_000, handOver: 2_000 };
      const first = await stage.member(options);
      await eventually('it has both', () => first.partitions.length === 2);
      await within(3_000, 'it stops', first.stop());
      const begun = performance.now();
      const second = await stage.member(options);
      await eventually('the next has both', () => second.partitions.length === 2);
      expect(performance.now() - begun).toBeLessThan(4_000);
      expect(overlaps([first, second])).toEqual([]);
    });

    test('stop within the time of handing over, whatever revoked does', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const [group, handOver] = [unique('g'), 500];
      const member = await stage.member({
        group,
        topics: [topic],
        handOver,
        revoked: () => new Promise<void>(() => {}),
      });
      await eventually('it begins', () => member.partitions.length === 1);
      await within(handOver + 2_500, 'it stops', member.stop());
      expect(await stage.witness.members(group)).toBe(0);
      const failing = await stage.member({
        group,
        topics: [topic],
        handOver,
        revoked: () => Promise.reject(new Error('x')),
      });
      await eventually('it begins', () => failing.partitions.length === 1);
      await within(handOver + 2_500, 'it stops too', failing.stop());
      expect(await stage.witness.members(group)).toBe(0);
    });
  });
}
