import { sleep } from '@quorate/core';
import { eventually, seeded } from '@quorate/testbed';
import { expect } from 'vitest';
import { clientOf, contractTest as test } from './contract.ts';
import type { Drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import { batch, endless, failure, Stage, series, unique, within } from './stage.ts';
import { silent } from './unreachable.ts';

const fromStart = new Map([
  [0, 0n],
  [1, 0n],
]);

/** Part of the contract of the drivers. */
export function endsTransactions(which: Drivers): void {
  eachDriver(which, 'has transactions, each of which', (name, open) => {
    const client = clientOf('doubts', name);

    test('is done when its answer is lost and it is asked again', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const link = bed.link(client, 'kafka-1');
      const transactor = await stage.transactor(unique('id'), 60_000, { brokers: bed.kafka.brokersFor(client) });
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
      for (const [round, value] of series('m', 3).entries()) {
        await transactor.begin();
        await transactor.append([batch(topic, 0, [value])]);
        await link.set({ blackHole: 'kafka-1' });
        const committing = transactor.commit();
        await eventually('it is committed', () => follower.values().length === round + 1);
        await link.reset();
        await link.heal();
        await within(8_000, 'it says so', committing);
      }
      expect(follower.values()).toEqual(series('m', 3));
    });

    test('is there once, with its offsets, when connections are reset at any moment', async ({ bed }) => {
      const seed = 23;
      const random = seeded(seed);
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const group = unique('g');
      const link = bed.link(client, 'kafka-1');
      await link.set({ latencyMs: 1 });
      const transactor = await stage.transactor(unique('id'), 60_000, { brokers: bed.kafka.brokersFor(client) });
      const rounds = 12;
      for (let round = 0; round < rounds; round += 1) {
        const whole = async (): Promise<void> => {
          await transactor.begin();
          await transactor.append([batch(topic, 0, [`a-${round}`]), batch(topic, 1, [`b-${round}`])]);
          await transactor.sendOffsets(group, [{ topic, partition: 0, offset: BigInt(round + 1) }]);
          await transactor.commit();
        };
        const done = failure(whole);
        await sleep(random.next() * 30);
        await link.reset();
        expect(await within(12_000, 'it is done', done), `round ${round}, seed ${seed}`).toBeUndefined();
      }
      await link.heal();
      const follower = await stage.follower({ topic, from: fromStart });
      await eventually('all is seen', () => follower.values(0).length >= rounds && follower.values(1).length >= rounds);
      expect([follower.values(0), follower.values(1)]).toEqual([series('a', rounds), series('b', rounds)]);
      await eventually(
        'so are the offsets',
        async () => (await stage.witness.committed(group, topic)) === BigInt(rounds),
      );
      // What was written twice would be in the log, though nobody sees it.
      expect(await stage.witness.values(topic, 0)).toEqual(series('a', rounds));
    });

    test('is in doubt when nobody answers its commit', async ({ bed }) => {
      const settings = { brokers: bed.kafka.brokersFor(client), requestTimeout: 400, deliveryTimeout: 1_200 };
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const link = bed.link(client, 'kafka-1');
      const id = unique('id');
      const transactor = await stage.transactor(id, 60_000, settings);
      await transactor.begin();
      await transactor.append([batch(topic, 0, ['in doubt'])]);
      await link.set({ blackHole: true });
      const failed = await within(
        6_000,
        'it ends',
        failure(() => transactor.commit()),
      );
      expect(failed).toMatchObject({ code: 'ambiguous', happened: 'unknown', retryable: false });
      await within(4_000, 'it closes', transactor.close());
      const next = await stage.transactor(id);
      await link.heal();
      await next.begin();
      await next.append([batch(topic, 0, ['next'])]);
      await next.commit();
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
      await eventually('the next is seen', () => follower.values().includes('next'));
      expect(follower.values().filter((value) => value !== 'in doubt')).toEqual(['next']);
    });

    const doubts = [
      ['nobody has heard', true, []],
      ['nobody has answered', 'kafka-1', ['in doubt']],
    ] as const;

    test.for(doubts)(
      'is decided when it is renewed, after a commit that %s, and goes on',
      async ([, hole, kept], { bed }) => {
        const settings = { brokers: bed.kafka.brokersFor(client), requestTimeout: 400, deliveryTimeout: 1_200 };
        await using stage = new Stage(open, bed.kafka.brokers);
        const topic = await stage.topic();
        const group = unique('g');
        const link = bed.link(client, 'kafka-1');
        const transactor = await stage.transactor(unique('id'), 60_000, settings);
        await transactor.begin();
        await transactor.append([batch(topic, 0, ['in doubt'])]);
        await transactor.sendOffsets(group, [{ topic, partition: 0, offset: 7n }]);
        await link.set({ blackHole: hole });
        expect(await failure(() => transactor.commit())).toMatchObject({ code: 'ambiguous', happened: 'unknown' });
        expect(await failure(() => transactor.renew())).toBeInstanceOf(Error);
        await link.reset();
        await link.heal();
        await transactor.renew();
        // It is decided, so that nobody has to wait for it.
        const { admin } = await stage.driver();
        const committed = (await admin.committed(group, [topic], endless)).map(({ offset }) => offset);
        expect(committed).toEqual(kept.length > 0 ? [7n] : []);
        for (const value of ['next', 'last']) {
          await transactor.begin();
          await transactor.append([batch(topic, 0, [value])]);
          await transactor.commit();
        }
        const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
        await eventually('the last is seen', () => follower.values().includes('last'));
        expect(follower.values()).toEqual([...kept, 'next', 'last']);
      },
    );

    test('of a predecessor is not renewed, and takes nothing from its successor', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const id = unique('id');
      const before = await stage.transactor(id);
      await before.begin();
      await before.append([batch(topic, 0, ['before'])]);
      const after = await stage.transactor(id);
      await after.begin();
      await after.append([batch(topic, 0, ['after'])]);
      const fenced = { code: 'fenced-producer', happened: 'no' };
      expect(await failure(() => before.renew())).toMatchObject(fenced);
      expect(await failure(() => before.begin())).toMatchObject(fenced);
      await after.commit();
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
      await eventually('it is seen', () => follower.values().length > 0);
      expect(follower.values()).toEqual(['after']);
    });

    test('can be renewed at any time: what is open is aborted, and nothing is no matter', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const transactor = await stage.transactor(unique('id'));
      await transactor.renew();
      await transactor.begin();
      await transactor.append([batch(topic, 0, ['open'])]);
      await transactor.renew();
      await transactor.renew();
      await transactor.begin();
      await transactor.append([batch(topic, 0, ['committed'])]);
      await transactor.commit();
      const reason = new Error('no longer wanted');
      expect(await failure(() => transactor.renew(AbortSignal.abort(reason)))).toBe(reason);
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
      await eventually('it is seen', () => follower.values().length > 0);
      expect(follower.values()).toEqual(['committed']);
    });

    test('that is under way is aborted by close, at once', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const transactor = await stage.transactor(unique('id'));
      await transactor.begin();
      await transactor.append([batch(topic, 0, ['open'])]);
      await within(3_000, 'it closes', transactor.close());
      await transactor.close();
      await stage.witness.produce(topic, 0, ['after']);
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
      await eventually('nothing holds it back', () => follower.values().length === 1, { within: 3_000 });
      expect(follower.values()).toEqual(['after']);
      expect(await failure(() => transactor.begin())).toMatchObject({ code: 'stream-closed', happened: 'no' });
    });

    test('is closed in a bounded time when nobody answers, and is aborted by the broker', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const link = bed.link(client, 'kafka-1');
      const settings = { brokers: bed.kafka.brokersFor(client), requestTimeout: 500 };
      const transactor = await stage.transactor(unique('id'), 1_000, settings);
      await transactor.begin();
      await transactor.append([batch(topic, 0, ['open'])]);
      await link.set({ blackHole: true });
      await within(4_000, 'it closes', transactor.close());
      await stage.witness.produce(topic, 0, ['after']);
      const follower = await stage.follower({ topic, from: new Map([[0, 0n]]) });
      await eventually('nothing holds it back', () => follower.values().length === 1, { within: 10_000 });
      expect(follower.values()).toEqual(['after']);
      await link.heal();
    });

    test('is not begun after its signal, when nobody answers', async () => {
      await using place = await silent();
      await using stage = new Stage(open, [place.address]);
      const driver = await stage.driver();
      const signal = AbortSignal.timeout(100);
      const begun = failure(() => driver.transactor('id', { timeout: 60_000, signal }));
      expect(await within(1_500, 'it ends', begun)).toBe(signal.reason);
    });
  });
}
