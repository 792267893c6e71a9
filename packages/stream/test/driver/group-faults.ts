import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sleep } from '@quorate/core';
import { eventually, seeded } from '@quorate/testbed';
import { expect } from 'vitest';
import type { DriverName } from '../../src/driver/driver.ts';
import { clientOf, contractTest as test } from './contract.ts';
import { type Drivers, drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import { type Member, overlaps } from './member.ts';
import { failure, Stage, series, unique, warned, within } from './stage.ts';

const memberProcess = fileURLToPath(new URL('member-process.ts', import.meta.url));
const [sessionTimeout, handOver] = [1_000, 250];

/** Part of the contract of the drivers. */
export function survivesFaults(which: Drivers): void {
  eachDriver(which, 'reads as a member of a group, which', (name, open) => {
    const client = clientOf('faults', name);
    test('that nobody hears for longer than its session has lost its partitions, knows it, and comes back', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      for (const partition of [0, 1]) await stage.witness.produce(topic, partition, series('m', 5));
      const options = { group: unique('g'), topics: [topic], sessionTimeout, handOver };
      const link = bed.link(client, 'kafka-1');
      const linked = await stage.driver({ brokers: bed.kafka.brokersFor(client), requestTimeout: 1_000 });
      const cut = await stage.member(options, linked);
      await eventually('it reads', () => cut.values(0).length === 5 && cut.values(1).length === 5);
      await cut.commit(2n, 0);
      await link.set({ blackHole: true });
      const other = await stage.member(options);
      await eventually('the other has all', () => other.partitions.length === 2);
      await eventually('it reads', () => other.values(0).length === 3);
      await other.commit(5n, 0);
      // The one that is cut off does not move it, whatever it thinks.
      const refused = within(
        6_000,
        'a commit ends',
        failure(() => cut.commit(3n, 0)),
      );
      expect(await refused).toBeInstanceOf(Error);
      await link.heal();
      await eventually('it knows', () => cut.lostFor.length === 1);
      // It did not hand over what it no longer had.
      expect(cut.revocations).toBe(0);
      await eventually('both share', () => cut.partitions.length === 1 && other.partitions.length === 1);
      expect(await stage.witness.committed(options.group, topic, 0)).toBe(5n);
      expect(cut.lostFor).toHaveLength(1);
      expect(cut.lostFor[0]?.code).toEqual(expect.any(String));
      await stage.witness.produce(topic, 0, ['new']);
      await stage.witness.produce(topic, 1, ['new']);
      const news = (member: Member): number => [0, 1].filter((p) => member.values(p).at(-1) === 'new').length;
      await eventually('both read', () => news(cut) === 1 && news(other) === 1);
      expect(overlaps([cut, other])).toEqual([]);
    });

    test('whose process stood still for longer than its session moves no offset when it goes on', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      await stage.witness.produce(topic, 0, series('m', 3));
      const group = unique('g');
      const args = [
        '--conditions=@quorate/source',
        memberProcess,
        name,
        bed.kafka.url,
        group,
        topic,
        `${sessionTimeout}`,
      ];
      const child = await bed.launch(process.execPath, args);
      let complaints = '';
      child.stderr?.on('data', (bytes) => {
        complaints += bytes;
      });
      const said: Record<string, unknown>[] = [];
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
        said.push(JSON.parse(line)),
      );
      try {
        await eventually('it commits', () => said.some(({ committed }) => committed === 3));
        child.kill('SIGSTOP');
        const other = await stage.member({ group, topics: [topic], sessionTimeout, handOver });
        await eventually('another has the partition', () => other.partitions.length === 1);
        await stage.witness.produce(topic, 0, series('n', 7));
        await eventually('it reads on', () => other.values().includes('n-6'));
        await other.commit(10n);
        const before = said.length;
        child.kill('SIGCONT');
        await eventually('the first goes on', () => said.length > before);
        const moved = new Set<bigint | undefined>();
        const look = async (): Promise<void> => void moved.add(await stage.witness.committed(group, topic));
        await eventually('it is a member again', async () => {
          await look();
          return (await stage.witness.members(group)) === 2;
        });
        await look();
        await other.stop();
        await eventually('it has the partition again', async () => {
          await look();
          return said.some(({ committed }) => committed === 10);
        });
        expect(moved).toEqual(new Set([10n]));
        // A commit that was answered before it stood still may be told now.
        const news = said.slice(before);
        const [first] = news[0]?.committed === 3 ? news.slice(1) : news;
        expect(first).toSatisfy(({ told, refused }) => told === 'lost' || refused === 'not-a-member');
        expect(complaints).toBe('');
      } finally {
        child.kill('SIGKILL');
      }
    });

    test('reads on without gaps, and stays a member, when its connections are reset at any moment', async ({ bed }) => {
      const seed = 21;
      const random = seeded(seed);
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const link = bed.link(client, 'kafka-1');
      await link.set({ latencyMs: 1 });
      const linked = await stage.driver({ brokers: bed.kafka.brokersFor(client) });
      const group = unique('g');
      const member = await stage.member({ group, topics: [topic], sessionTimeout: 6_000 }, linked);
      await eventually('it begins', () => member.partitions.length === 2);
      for (let round = 0; round < 10; round += 1) {
        for (const partition of [0, 1]) await stage.witness.produce(topic, partition, series(`r${round}`, 5));
        await sleep(random.next() * 30);
        await link.reset();
        const count = 5 * (round + 1);
        await eventually(`all is read (round ${round}, seed ${seed})`, () =>
          [0, 1].every((partition) => member.values(partition).length >= count),
        );
      }
      const values = Array.from({ length: 10 }, (_, round) => series(`r${round}`, 5)).flat();
      for (const partition of [0, 1]) expect(member.values(partition)).toEqual(values);
      await member.commit(50n, 0);
      expect([member.lostFor, member.assignments]).toEqual([[], 1]);
      await eventually('all is well', () => member.troubles.at(-1) === undefined);
      await link.heal();
    });

    test('commits in the order of the calls, also when connections are reset at any moment', async ({ bed }) => {
      const seed = 27;
      const random = seeded(seed);
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const link = bed.link(client, 'kafka-1');
      await link.set({ latencyMs: 1 });
      const group = unique('g');
      const linked = await stage.driver({ brokers: bed.kafka.brokersFor(client) });
      const member = await stage.member({ group, topics: [topic], sessionTimeout: 6_000 }, linked);
      await eventually('it begins', () => member.partitions.length === 1);
      for (let round = 0; round < 10; round += 1) {
        const offsets = [1, 2, 3].map((step) => BigInt(10 * round + step));
        const commits = Promise.all(offsets.map((offset) => failure(() => member.commit(offset))));
        await sleep(random.next() * 6);
        await link.reset();
        const what = `round ${round}, seed ${seed}`;
        expect(await within(8_000, 'all are done', commits), what).toEqual([undefined, undefined, undefined]);
        expect(await stage.witness.committed(group, topic), what).toBe(offsets[2]);
      }
      await link.heal();
    });

    test('says that something is wrong, tries again by itself, and says when all is well', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const link = bed.link(client, 'kafka-1');
      const linked = await stage.driver({ brokers: bed.kafka.brokersFor(client), requestTimeout: 1_000 });
      const member = await stage.member({ group: unique('g'), topics: [topic], sessionTimeout: 30_000 }, linked);
      await eventually('it begins', () => member.partitions.length === 1);
      for (const fault of [{ refuse: true }, { blackHole: true }] as const) {
        const told = member.troubles.length;
        await link.set(fault);
        await eventually('it says so', () => member.troubles.length > told);
        expect(member.troubles.at(-1)).toMatchObject({ code: expect.any(String), happened: expect.any(String) });
        const begun = performance.now();
        const failed = await within(
          8_000,
          'a commit ends',
          failure(() => member.commit(0n)),
        );
        expect(failed, `after ${performance.now() - begun} ms`).toMatchObject({ code: expect.any(String) });
        await stage.witness.produce(topic, 0, ['meanwhile']);
        const count = member.values().length;
        await link.heal();
        await eventually('it goes on', () => member.values().length === count + 1);
        await eventually('and says so', () => member.troubles.length > 0 && member.troubles.at(-1) === undefined);
        await member.commit(member.course().next);
      }
      expect([member.lostFor, member.assignments]).toEqual([[], 1]);
    });

    test('stops in a bounded time, and closes, when nobody answers', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const link = bed.link(client, 'kafka-1');
      for (const fault of [{ refuse: true }, { blackHole: true }] as const) {
        const linked = await stage.driver({ brokers: bed.kafka.brokersFor(client), requestTimeout: 1_000 });
        const member = await stage.member({ group: unique('g'), topics: [topic], sessionTimeout, handOver }, linked);
        await eventually('it begins', () => member.partitions.length === 1);
        await link.set(fault);
        await within(handOver + 5_000, 'it stops', member.stop());
        expect(member.revocations + member.lostFor.length).toBe(1);
        await within(5_000, 'its driver closes', linked.close());
        await link.heal();
        await eventually('no connection is left', () => link.connections === 0, { within: 5_000 });
      }
    });
  });
}

/** Takes the broker away from all others. */
export function survivesItsBroker(): void {
  test('members by all drivers go on when the only broker dies and comes back', async ({ bed }) => {
    using warnings = warned();
    await using stages = new AsyncDisposableStack();
    const members: (readonly [DriverName, Member, Stage, string])[] = [];
    for (const [name, open] of drivers) {
      const stage = stages.use(new Stage(open, bed.kafka.brokers));
      const topic = await stage.topic();
      const member = await stage.member({ group: unique('g'), topics: [topic], sessionTimeout: 6_000 });
      await stage.witness.produce(topic, 0, ['before']);
      await eventually(`${name} reads`, () => member.values().length === 1);
      members.push([name, member, stage, topic]);
    }
    await bed.kafka.broker(1).kill();
    await bed.kafka.broker(1).restart();
    for (const [name, member, stage, topic] of members) {
      await stage.witness.produce(topic, 0, ['after']);
      await eventually(`${name} reads on`, () => member.values().includes('after'));
      await eventually(`${name} is well`, () => member.troubles.at(-1) === undefined && member.partitions.length === 1);
      await eventually(`${name} can commit`, () => member.commit(2n).then(() => true));
      expect(member.values().filter((value) => value === 'after')).toEqual(['after']);
    }
    expect(warnings.of).toEqual([]);
  });
}
