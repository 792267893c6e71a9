import { randomBytes } from 'node:crypto';
import { eventually, seeded } from '@quorate/testbed';
import { expect } from 'vitest';
import type { Transactor } from '../../src/driver/transactor.ts';
import { clientOf, contractTest as test } from './contract.ts';
import type { Drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import { batch, endless, failure, offsetsOf, Stage, series, unique } from './stage.ts';

const fromStart = new Map([
  [0, 0n],
  [1, 0n],
]);

/** Part of the contract of the drivers. */
export function hasTransactions(which: Drivers): void {
  eachDriver(which, 'has transactions, each of which', (name, open) => {
    const client = clientOf('transactions', name);

    test('is seen as a whole when it is committed, and not before', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const follower = await stage.follower({ topic, from: fromStart });
      const member = await stage.member({ group: unique('g'), topics: [topic] });
      const transactor = await stage.transactor(unique('id'));
      expect(transactor.id).toMatch(/^id-/);
      await transactor.begin();
      const [first, second] = [batch(topic, 0, series('a', 2)), batch(topic, 1, series('b', 3))];
      expect(await transactor.append([first, second])).toEqual([0n, 0n]);
      expect(await transactor.append([batch(topic, 1, ['b-3'])])).toEqual([3n]);
      // What comes later is held back as well: it ends, for a reader, where the transaction begins.
      await stage.witness.produce(topic, 0, ['later']);
      await eventually('they are there', async () => (await stage.witness.values(topic, 0)).length === 3);
      expect([follower.values(0), follower.values(1), member.values(0), member.values(1)]).toEqual([[], [], [], []]);
      await transactor.commit();
      await eventually('all is seen', () => [follower, member].every((reader) => reader.values(1).length === 4));
      await eventually('and what came later', () =>
        [follower, member].every((reader) => reader.values(0).length === 3),
      );
      for (const reader of [follower, member]) {
        expect(reader.values(0)).toEqual(['a-0', 'a-1', 'later']);
        expect(reader.values(1)).toEqual(series('b', 4));
        // Nobody sees the marker, and it is no lag.
        await eventually('no lag', () => reader.course(0).next === 4n && reader.course(1).next === 5n);
        expect([reader.course(0).lag, reader.course(1).lag]).toEqual([0n, 0n]);
      }
      // One after the other.
      await transactor.begin();
      expect(await transactor.append([batch(topic, 0, ['next'])])).toEqual([4n]);
      await transactor.commit();
      await eventually('the next', () => follower.values(0).includes('next'));
    });

    test('is never seen when it is aborted: also one larger than a fetch, and many in a row', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const transactor = await stage.transactor(unique('id'));
      const large = randomBytes(60_000).toString('base64').slice(0, 80_000);
      await transactor.begin();
      for (let part = 0; part < 20; part += 1) await transactor.append([batch(topic, 0, series(large, 10))]);
      await transactor.abort();
      for (const part of series('aborted', 5)) {
        await transactor.begin();
        await transactor.append([batch(topic, 0, series(part, 3))]);
        await transactor.abort();
      }
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
      const member = await stage.member({ group: unique('g'), topics: [topic] });
      // It goes on over what it does not see, or there would always be a lag. The last marker may be written after `abort` was answered.
      for (const reader of [follower, member])
        await eventually('it has come to the end', async () => {
          const end = await stage.witness.end(topic);
          return reader.course().next === end && reader.course().lag === 0n;
        });
      expect([follower.values(), member.values()]).toEqual([[], []]);
      await transactor.begin();
      await transactor.append([batch(topic, 0, ['committed'])]);
      await transactor.commit();
      for (const reader of [follower, member]) {
        await eventually('what is committed', () => reader.values().length === 1);
        expect(reader.values()).toEqual(['committed']);
      }
    });

    test('is seen or not beside others that go on at the same time, from wherever one begins to read', async ({
      bed,
    }) => {
      const seed = 17;
      const random = seeded(seed);
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const driver = await stage.driver();
      const appender = await driver.appender({ signal: endless });
      const running = await Promise.all(
        series('t', 3).map(async (id) => ({
          transactor: await driver.transactor(unique(id), { timeout: 60_000, signal: endless }),
          values: [] as string[],
          open: false,
        })),
      );
      const seen = new Set<string>();
      for (let step = 0; step < 90; step += 1) {
        const partition = random.integer(0, 1);
        const values = series(`s${step}`, random.integer(1, 4));
        const one = random.pick([...running, undefined]);
        if (!one) {
          offsetsOf(await appender.append([batch(topic, partition, values)]));
          for (const value of values) seen.add(value);
        } else if (!one.open) {
          await one.transactor.begin();
          one.open = true;
        } else if (random.next() < 0.6) {
          await one.transactor.append([batch(topic, partition, values)]);
          one.values.push(...values);
        } else {
          const isCommitted = random.next() < 0.5;
          if (isCommitted) await one.transactor.commit();
          else await one.transactor.abort();
          if (isCommitted) for (const value of one.values) seen.add(value);
          one.values = [];
          one.open = false;
        }
      }
      for (const { transactor, open: isOpen } of running) if (isOpen) await transactor.abort();
      const logs = [await stage.witness.log(topic, 0), await stage.witness.log(topic, 1)];
      const ends = [await stage.witness.end(topic, 0), await stage.witness.end(topic, 1)];
      const begins = [0, ...Array.from({ length: 12 }, () => random.next())];
      for (const share of begins) {
        const from = new Map(ends.map((end, partition) => [partition, BigInt(Math.floor(Number(end) * share))]));
        const follower = await stage.follower({ topic, from }, driver);
        for (const partition of [0, 1]) {
          const what = `partition ${partition} from ${from.get(partition)}, seed ${seed}`;
          await eventually(what, () => follower.course(partition).next === ends[partition]);
          const expected = (logs[partition] ?? []).filter(
            ({ offset, value, control }) => !control && seen.has(value ?? '') && offset >= (from.get(partition) ?? 0n),
          );
          expect(follower.values(partition), what).toEqual(expected.map(({ value }) => value));
        }
        await follower.stop();
      }
    });

    test('is nowhere when its process dies: whoever takes its id over aborts it', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const id = unique('id');
      const link = bed.link(client, 'kafka-1');
      const dying = await stage.transactor(id, 60_000, { brokers: bed.kafka.brokersFor(client) });
      await dying.begin();
      await dying.append([batch(topic, 0, ['half']), batch(topic, 1, ['half'])]);
      await link.set({ refuse: true });
      const next = await stage.transactor(id);
      await next.begin();
      await next.append([batch(topic, 0, ['whole']), batch(topic, 1, ['whole'])]);
      await next.commit();
      const follower = await stage.follower({ topic, from: fromStart });
      await eventually('it is seen', () => follower.values(0).length > 0 && follower.values(1).length > 0);
      expect([follower.values(0), follower.values(1)]).toEqual([['whole'], ['whole']]);
      await link.heal();
    });

    test('is aborted when nothing comes of it for longer than its time', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const transactor = await stage.transactor(unique('id'), 700);
      await transactor.begin();
      await transactor.append([batch(topic, 0, ['late'])]);
      await stage.witness.produce(topic, 0, ['waits']);
      const follower = await stage.follower({ topic, from: fromStart });
      await eventually('what waited is seen', () => follower.values(0).length === 1, { within: 10_000 });
      expect(follower.values(0)).toEqual(['waits']);
      expect(await failure(() => transactor.commit())).toBeInstanceOf(Error);
    });

    const methods: [string, (transactor: Transactor, topic: string, group: string) => Promise<unknown>][] = [
      ['append', (transactor, topic) => transactor.append([batch(topic, 0, ['zombie'])])],
      [
        'sendOffsets',
        (transactor, topic, group) => transactor.sendOffsets(group, [{ topic, partition: 0, offset: 1n }]),
      ],
      ['commit', (transactor) => transactor.commit()],
      ['abort', (transactor) => transactor.abort()],
    ];

    test.for(methods)(
      'whose id somebody has taken over is fenced, at %s, and from then on',
      async ([, method], { bed }) => {
        await using stage = new Stage(open, bed.kafka.brokers);
        const topic = await stage.topic();
        const [id, group] = [unique('id'), unique('g')];
        const driver = await stage.driver();
        const before = await driver.transactor(id, { timeout: 60_000, signal: endless });
        await before.begin();
        await before.append([batch(topic, 0, ['fenced'])]);
        const after = await stage.transactor(id);
        const fenced = { code: 'fenced-producer', happened: 'no' };
        const failed = await failure(() => method(before, topic, group));
        expect(failed).toMatchObject(fenced);
        expect(failed?.message).toContain(id);
        expect(await failure(() => before.begin())).toMatchObject(fenced);
        expect(await failure(() => before.append([batch(topic, 0, ['zombie'])]))).toMatchObject(fenced);
        expect(await failure(() => before.commit())).toMatchObject(fenced);
        await before.close();
        expect(await failure(() => before.begin())).toMatchObject(fenced);
        // And the other one goes on.
        await after.begin();
        await after.append([batch(topic, 0, ['goes on'])]);
        await after.commit();
        const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
        await eventually('it is seen', () => follower.values().length > 0);
        expect(follower.values()).toEqual(['goes on']);
        expect(await stage.witness.values(topic)).not.toContain('zombie');
        expect(await stage.witness.committed(group, topic)).toBeUndefined();
      },
    );

    test('of one driver fences the one before of the same driver', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const id = unique('id');
      const driver = await stage.driver();
      const options = { timeout: 60_000, signal: endless };
      for (const round of series('r', 3)) {
        const before = await driver.transactor(id, options);
        await before.begin();
        await before.append([batch(topic, 0, [`${round}-before`])]);
        const after = await driver.transactor(id, options);
        expect(await failure(() => before.commit())).toMatchObject({ code: 'fenced-producer', happened: 'no' });
        await after.begin();
        await after.append([batch(topic, 0, [`${round}-after`])]);
        await after.commit();
        await Promise.all([before.close(), after.close()]);
      }
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
      await eventually('all of them', () => follower.values().length >= 3);
      expect(follower.values()).toEqual(['r-0-after', 'r-1-after', 'r-2-after']);
    });

    test('commits offsets of a group with it, or not at all', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const group = unique('g');
      const transactor = await stage.transactor(unique('id'));
      const offset = (partition: number, value: bigint) => ({ topic, partition, offset: value });
      await transactor.begin();
      await transactor.append([batch(topic, 1, ['result'])]);
      await transactor.sendOffsets(group, [offset(0, 5n), offset(1, 7n)]);
      expect(await stage.witness.committed(group, topic, 0)).toBeUndefined();
      await transactor.commit();
      await eventually('both', async () => (await stage.witness.committed(group, topic, 1)) === 7n);
      expect(await stage.witness.committed(group, topic, 0)).toBe(5n);
      await transactor.begin();
      await transactor.append([batch(topic, 1, ['another'])]);
      await transactor.sendOffsets(group, [offset(0, 9n)]);
      await transactor.abort();
      // Offsets alone are a transaction too.
      await transactor.begin();
      await transactor.sendOffsets(group, [offset(1, 8n)]);
      await transactor.commit();
      await eventually('the last', async () => (await stage.witness.committed(group, topic, 1)) === 8n);
      expect(await stage.witness.committed(group, topic, 0)).toBe(5n);
      // And one without anything is one.
      await transactor.begin();
      await transactor.commit();
      await transactor.begin();
      await transactor.abort();
    });

    test('can be aborted after an error, and the next one is well', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers, { deliveryTimeout: 1_500 });
      const [topic, narrow] = [await stage.topic(), await stage.topic({ settings: { 'max.message.bytes': '5000' } })];
      const transactor = await stage.transactor(unique('id'));
      await transactor.begin();
      await transactor.append([batch(topic, 0, ['before'])]);
      const failed = await failure(() => transactor.append([batch(narrow, 0, [randomBytes(20_000)])]));
      expect(failed).toMatchObject({ code: 'message-too-large', happened: 'no' });
      await transactor.abort();
      await transactor.begin();
      const unknown = await failure(() => transactor.append([batch('no-such-topic', 0, ['x'])]));
      expect(unknown).toMatchObject({ code: 'unknown-topic', happened: 'no' });
      await transactor.abort();
      await transactor.begin();
      await transactor.append([batch(topic, 0, ['after'])]);
      await transactor.commit();
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
      await eventually('it is seen', () => follower.values().length > 0);
      expect(follower.values()).toEqual(['after']);
      expect(await stage.witness.topics()).not.toContain('no-such-topic');
    });
  });
}
