import { randomBytes } from 'node:crypto';
import { eventually } from '@quorate/testbed';
import { expect } from 'vitest';
import { clientOf, contractTest as test } from './contract.ts';
import type { Drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import type { Member } from './member.ts';
import { pausesOne } from './pausing.ts';
import { endless, failure, oddRecords, Stage, series, unique, within } from './stage.ts';

/** Part of the contract of the drivers. */
export function readsAsMember(which: Drivers): void {
  eachDriver(which, 'reads as a member of a group, which', (name, open) => {
    const client = clientOf('group', name);

    test('begins with the earliest message, or with what comes next, where nothing is committed', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      await stage.witness.produce(topic, 0, series('old', 5));
      const early = await stage.member({ group: unique('g'), topics: [topic], from: 'earliest' });
      const late = await stage.member({ group: unique('g'), topics: [topic], from: 'latest' });
      await eventually('both begin', () => early.partitions.length + late.partitions.length === 2);
      expect(early.held).toEqual([{ topic, partition: 0, offset: 0n, missed: 0n }]);
      expect(late.held).toEqual([{ topic, partition: 0, offset: 5n, missed: 0n }]);
      await stage.witness.produce(topic, 0, ['new']);
      await eventually('both have it', () => [early, late].every((member) => member.values().includes('new')));
      expect(early.values()).toEqual([...series('old', 5), 'new']);
      expect(late.values()).toEqual(['new']);
      await eventually('it knows that it is at the end', () => early.course().lag === 0n);
      expect(early.course().end).toBe(6n);
    });

    test('goes on from what is committed, in each partition of each topic', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const [a, b] = [await stage.topic({ partitions: 2 }), await stage.topic()];
      for (const partition of [0, 1]) await stage.witness.produce(a, partition, series(`a${partition}`, 5));
      await stage.witness.produce(b, 0, series('b', 5));
      const group = unique('g');
      const first = await stage.member({ group, topics: [a, b] });
      await eventually('it has read all', () =>
        [first.course(0, a), first.course(1, a), first.course(0, b)].every(({ values }) => values.length === 5),
      );
      await first.reader.commit([
        { topic: a, partition: 1, offset: 3n },
        { topic: b, partition: 0, offset: 5n },
      ]);
      // Backwards as well: who commits knows what it does.
      await first.commit(2n, 0, a);
      await first.commit(1n, 0, a);
      await first.stop();
      const second = await stage.member({ group, topics: [a, b], from: 'latest' });
      await eventually('it begins', () => second.held.length === 3);
      const begins = second.held.map(({ topic, partition, offset }) => `${topic}-${partition}@${offset}`);
      expect(begins.sort()).toEqual([`${a}-0@1`, `${a}-1@3`, `${b}-0@5`].sort());
      await eventually('it goes on', () => second.course(0, a).values.length === 4);
      expect(second.course(0, a).values).toEqual(['a0-1', 'a0-2', 'a0-3', 'a0-4']);
      expect(second.course(1, a).values).toEqual(['a1-3', 'a1-4']);
    });

    test('loses nothing that comes after its start from the latest, when it is stopped before it has committed', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      await stage.witness.produce(topic, 0, series('old', 3));
      const group = unique('g');
      const first = await stage.member({ group, topics: [topic], from: 'latest' });
      await eventually('it begins', () => first.partitions.length === 2);
      await first.stop();
      for (const partition of [0, 1]) await stage.witness.produce(topic, partition, series(`new${partition}`, 3));
      const second = await stage.member({ group, topics: [topic], from: 'latest' });
      await eventually('all of it', () => second.values(0).length === 3 && second.values(1).length === 3);
      expect([...second.values(0), ...second.values(1)]).toEqual([...series('new0', 3), ...series('new1', 3)]);
      expect(second.missed).toBe(0n);
    });

    test('loses nothing that comes after its start from the latest, when it dies before it has committed', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      await stage.witness.produce(topic, 0, series('old', 3));
      const [group, sessionTimeout, handOver] = [unique('g'), 1_000, 200];
      const link = bed.link(client, 'kafka-1');
      const dying = await stage.driver({ brokers: bed.kafka.brokersFor(client) });
      const first = await stage.member({ group, topics: [topic], from: 'latest', sessionTimeout, handOver }, dying);
      await eventually('it begins', () => first.partitions.length === 1);
      await link.set({ refuse: true });
      await stage.witness.produce(topic, 0, series('new', 3));
      const second = await stage.member({ group, topics: [topic], from: 'latest' });
      await eventually('all of it', () => second.values().length === 3);
      expect(second.values()).toEqual(series('new', 3));
      await first.stop();
      await dying.close();
      await link.heal();
    });

    test('gives keys, values, headers and times as they were written, and large messages', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const records = [
        ...oddRecords,
        { key: null, value: randomBytes(900_000), headers: [], timestamp: 1_600_000_000_003 },
      ];
      await (await stage.appender()).append([{ topic, partition: 0, records }]);
      const member = await stage.member({ group: unique('g'), topics: [topic] });
      await eventually('all of them', () => member.values().length === 3);
      expect(member.course().records).toEqual(records.map((record, index) => ({ ...record, offset: BigInt(index) })));
    });

    test('is told of a message as soon as it is there', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 3 });
      const member = await stage.member({ group: unique('g'), topics: [topic] });
      await eventually('it begins', () => member.partitions.length === 3);
      const took: number[] = [];
      for (const value of series('now', 10)) {
        const begun = performance.now();
        await stage.witness.produce(topic, 1, [value]);
        await eventually(value, () => member.values(1).includes(value), { every: 1 });
        took.push(performance.now() - begun);
      }
      expect(took.toSorted((a, b) => a - b)[5]).toBeLessThan(200);
    });

    test('gives thousands of messages of several partitions, each in order', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 4 });
      for (const part of [0, 1, 2, 3, 4])
        for (const partition of [0, 1, 2, 3]) await stage.witness.produce(topic, partition, series(`m${part}`, 1_000));
      const member = await stage.member({ group: unique('g'), topics: [topic] });
      const all = [0, 1, 2, 3, 4].flatMap((part) => series(`m${part}`, 1_000));
      await eventually('all', () => [0, 1, 2, 3].every((partition) => member.values(partition).length === all.length));
      for (const partition of [0, 1, 2, 3]) expect(member.values(partition)).toEqual(all);
    });

    test('gives nothing of a partition that is paused, while the others go on, and soon all of it', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const member = await stage.member({ group: unique('g'), topics: [topic] });
      await eventually('it begins', () => member.partitions.length === 2);
      await pausesOne(member, topic, stage.witness);
    });

    test('gives at most what is on its way when it is paused in the moment in which records come', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const large = randomBytes(60_000).toString('base64').slice(0, 80_000);
      for (let part = 0; part < 12; part += 1) await stage.witness.produce(topic, 0, series(`${part}-${large}`, 10));
      const member = await stage.member({
        group: unique('g'),
        topics: [topic],
        took: (who, partition) => partition.partition === 0 && who.begun?.pause(partition),
      });
      await eventually('something came', () => member.values(0).length > 0);
      // Rounds of the other partition, so that a fetch of this one would have been answered.
      for (const value of series('other', 5)) {
        await stage.witness.produce(topic, 1, [value]);
        await eventually(value, () => member.values(1).includes(value));
      }
      const [calls, count] = [member.course(0).calls, member.values(0).length];
      for (const value of series('more', 5)) {
        await stage.witness.produce(topic, 1, [value]);
        await eventually(value, () => member.values(1).includes(value));
      }
      expect([member.course(0).calls, member.values(0).length]).toEqual([calls, count]);
      await eventually('all of it, by and by', () => {
        member.reader.resume({ topic, partition: 0 });
        return member.values(0).length === 120;
      });
      const all = Array.from({ length: 12 }, (_, part) => series(`${part}-${large}`, 10)).flat();
      expect(member.values(0).every((value, index) => value === all[index])).toBe(true);
    });

    test('is told how many messages retention has taken that the group had not read', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 3 });
      const group = unique('g');
      const { admin } = await stage.driver();
      for (const partition of [0, 1, 2]) {
        await stage.witness.produce(topic, partition, series(`m${partition}`, 10));
        await stage.witness.deleteRecords(topic, partition, 5n);
      }
      const offsets = [
        { topic, partition: 0, offset: 2n },
        { topic, partition: 1, offset: 7n },
      ];
      await admin.commit(group, offsets, endless);
      const member = await stage.member({ group, topics: [topic] });
      await eventually('it begins', () => member.held.length === 3);
      expect(member.held.toSorted((a, b) => a.partition - b.partition)).toEqual([
        { topic, partition: 0, offset: 5n, missed: 3n },
        { topic, partition: 1, offset: 7n, missed: 0n },
        { topic, partition: 2, offset: 5n, missed: 0n },
      ]);
      await eventually('all that is there', () => [0, 1, 2].map((p) => member.values(p).length).join() === '5,3,5');
    });

    test('is told the same when retention overtakes it while it reads', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const revoked = (who: Member): Promise<void> => who.commitAll(who.giving);
      const member = await stage.member({ group: unique('g'), topics: [topic], revoked });
      await stage.witness.produce(topic, 0, series('a', 2));
      await eventually('it reads', () => member.values().length === 2);
      member.reader.pause({ topic, partition: 0 });
      // What was asked for before the pause is answered with the other partition.
      for (const value of series('other', 3)) {
        await stage.witness.produce(topic, 1, [value]);
        await eventually(value, () => member.values(1).includes(value));
      }
      await stage.witness.produce(topic, 0, series('m', 10));
      await stage.witness.deleteRecords(topic, 0, 9n);
      member.reader.resume({ topic, partition: 0 });
      await eventually('it goes on', () => member.values().includes('m-9'));
      expect(member.values()).toEqual(['a-0', 'a-1', 'm-7', 'm-8', 'm-9']);
      expect(member.missed).toBe(7n);
      expect(member.values(1)).toEqual(series('other', 3));
      expect(member.lostFor).toEqual([]);
    });

    test('knows when the membership was confirmed, all the time, by when the request was sent', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const link = bed.link(client, 'kafka-1');
      await link.set({ latencyMs: 100 });
      const driver = await stage.driver({ brokers: bed.kafka.brokersFor(client) });
      const [sessionTimeout, handOver] = [2_400, 800];
      const member = await stage.member({ group: unique('g'), topics: [topic], sessionTimeout, handOver }, driver);
      await eventually('it is confirmed', () => member.confirmations.length >= 5);
      // A question and its answer take so long.
      for (const { sent, told } of member.confirmations) expect(told - sent).toBeGreaterThanOrEqual(195);
      const sent = member.confirmations.map((confirmation) => confirmation.sent);
      // Whoever counts from there is always sure of it.
      for (const [index, at] of sent.entries()) expect(at - (sent[index - 1] ?? at)).toBeLessThan(sessionTimeout);
      const hole = performance.now();
      await link.set({ blackHole: true });
      await eventually('it says so', () => member.troubles.at(-1) !== undefined || member.lostFor.length > 0);
      expect(member.confirmations.filter((confirmation) => confirmation.sent > hole)).toEqual([]);
      await link.heal();
      await eventually('it is confirmed again', () => (member.confirmations.at(-1)?.sent ?? 0) > hole);
    });

    test('stops after it has handed over: what is committed then counts, nothing comes afterwards, and commits are refused', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const group = unique('g');
      await stage.witness.produce(topic, 0, series('m', 4));
      const member = await stage.member({ group, topics: [topic], revoked: (who) => who.commitAll(who.giving) });
      await eventually('it has read', () => member.values().length === 4);
      await within(3_000, 'it stops', Promise.all([member.stop(), member.stop()]));
      expect([member.revocations, member.handedOver, member.lostFor.length]).toEqual([1, 1, 0]);
      expect(await stage.witness.committed(group, topic, 0)).toBe(4n);
      expect(await stage.witness.members(group)).toBe(0);
      await member.stop();
      expect(await failure(() => member.commit(1n))).toMatchObject({ happened: 'no' });
      expect(await stage.witness.committed(group, topic, 0)).toBe(4n);
      member.reader.pause({ topic, partition: 0 });
      member.reader.resume({ topic, partition: 0 });
      await stage.witness.produce(topic, 0, ['late']);
      const next = await stage.member({ group, topics: [topic] });
      await eventually('the next one has it', () => next.values().includes('late'));
      expect(next.values()).toEqual(['late']);
      expect(member.values()).toEqual(series('m', 4));
    });

    test('is closed with its driver, as if it had been stopped', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const group = unique('g');
      const driver = await stage.driver();
      const member = await stage.member({ group, topics: [topic], sessionTimeout: 30_000 }, driver);
      await eventually('it begins', () => member.partitions.length === 1);
      await within(5_000, 'it closes', driver.close());
      await eventually('the group is empty', async () => (await stage.witness.members(group)) === 0, { within: 3_000 });
      await member.stop();
    });
  });
}
