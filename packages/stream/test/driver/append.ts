import { randomBytes } from 'node:crypto';
import { sleep } from '@quorate/core';
import { eventually, seeded } from '@quorate/testbed';
import { expect } from 'vitest';
import { clientOf, contractTest as test } from './contract.ts';
import { drivers } from './drivers.ts';
import { eachDriver } from './each-driver.ts';
import { batch, errorOf, offsetsOf, record, Stage, series, within } from './stage.ts';
import { nobody } from './unreachable.ts';

/** Part of the contract of the drivers. */
export function appends(): void {
  eachDriver(drivers, 'appends', (name, open) => {
    const client = clientOf('append', name);

    test('records in the order of calls and batches, and says where the first of each batch stands', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const appender = await stage.appender();
      const said: bigint[][] = [];
      for (const round of [0, 1, 2]) {
        const both = [batch(topic, 1, series(`b${round}`, 3)), batch(topic, 0, series(`a${round}`, 2))];
        said.push(offsetsOf(await appender.append(both)));
      }
      expect(said).toEqual([
        [0n, 0n],
        [3n, 2n],
        [6n, 4n],
      ]);
      expect(await stage.witness.values(topic, 0)).toEqual([0, 1, 2].flatMap((round) => series(`a${round}`, 2)));
      expect(await stage.witness.values(topic, 1)).toEqual([0, 1, 2].flatMap((round) => series(`b${round}`, 3)));
    });

    test('keys, values, headers and times as they are: also without key and value, and names that come twice', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const appender = await stage.appender();
      const headers = [
        ['to', Buffer.from('a')],
        ['from', Buffer.from('ü')],
        ['to', Buffer.from('b')],
        ['', Buffer.from('')],
      ] as const;
      const records = [
        record('full', { key: Buffer.from('k'), headers, timestamp: 1_700_000_000_000 }),
        record(null, { key: Buffer.from('gone'), timestamp: 1_700_000_000_123 }),
        record('', { key: Buffer.from(''), timestamp: 1_600_000_000_001 }),
        record('bare'),
      ];
      offsetsOf(await appender.append([{ topic, partition: 0, records }]));
      const [full, gone, empty, bare] = await stage.witness.log(topic);
      expect(full).toMatchObject({ key: 'k', value: 'full', timestamp: 1_700_000_000_000, transactional: false });
      expect(full?.headers).toEqual(headers.map(([header, value]) => [header, String(value)]));
      expect(gone).toMatchObject({ key: 'gone', value: null, timestamp: 1_700_000_000_123, headers: [] });
      expect(empty).toMatchObject({ key: '', value: '', timestamp: 1_600_000_000_001 });
      expect(bare).toMatchObject({ key: null, value: 'bare' });
    });

    test('several partitions at once, and one that Kafka refuses fails alone', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers, { deliveryTimeout: 1_500 });
      const [good, narrow] = [await stage.topic(), await stage.topic({ settings: { 'max.message.bytes': '5000' } })];
      const appender = await stage.appender();
      for (const round of [0, 1]) {
        const large = batch(narrow, 0, [randomBytes(20_000)]);
        const outcomes = await appender.append([batch(good, 0, [`before-${round}`]), large]);
        expect(outcomes[0]?.offset).toBe(BigInt(round));
        expect(errorOf(outcomes, 1)).toMatchObject({ code: 'message-too-large', happened: 'no' });
      }
      expect(await stage.witness.values(good)).toEqual(series('before', 2));
      // It goes on, also where something was refused.
      expect(offsetsOf(await appender.append([batch(narrow, 0, ['small'])]))).toEqual([0n]);
      expect(await stage.witness.values(narrow)).toEqual(['small']);
    });

    test('nothing to a topic or partition that is not there, which fails alone and is not made by it', async ({
      bed,
    }) => {
      await using stage = new Stage(open, bed.kafka.brokers, { deliveryTimeout: 1_500 });
      const topic = await stage.topic();
      const appender = await stage.appender();
      const wanted = [batch('no-such-topic', 0, ['x']), batch(topic, 0, ['y']), batch(topic, 7, ['z'])];
      const outcomes = await within(6_000, 'all outcomes', appender.append(wanted));
      expect(errorOf(outcomes, 0)).toMatchObject({ code: 'unknown-topic', happened: 'no', topic: 'no-such-topic' });
      expect(outcomes[1]?.offset).toBe(0n);
      expect(errorOf(outcomes, 2)).toMatchObject({ happened: 'no' });
      expect(await stage.witness.topics()).not.toContain('no-such-topic');
      expect(offsetsOf(await appender.append([batch(topic, 0, ['more'])]))).toEqual([1n]);
    });

    test('megabytes in one call', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 6 });
      const appender = await stage.appender();
      const bytes = randomBytes(90_000).toString('base64').slice(0, 90_000);
      const values = series(bytes, 8);
      const wanted = [0, 1, 2, 3, 4, 5].map((partition) => batch(topic, partition, values));
      expect(offsetsOf(await appender.append(wanted))).toEqual(wanted.map(() => 0n));
      expect(await stage.witness.values(topic, 5)).toEqual(values);
    });

    test('nothing twice when answers are lost: each batch is there once, where it is said', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const link = bed.link(client, 'kafka-1');
      const appender = await stage.appender({ brokers: bed.kafka.brokersFor(client) });
      // With a connection, and whatever it wants to know first.
      offsetsOf(await appender.append([batch(topic, 0, ['a-0']), batch(topic, 1, ['b-0'])]));
      const rounds = 5;
      for (let round = 1; round < rounds; round += 1) {
        await link.set({ blackHole: 'kafka-1' });
        const appending = appender.append([batch(topic, 0, [`a-${round}`]), batch(topic, 1, [`b-${round}`])]);
        await eventually('both are written', async () => {
          const ends = await Promise.all([stage.witness.end(topic, 0), stage.witness.end(topic, 1)]);
          return ends.every((end) => end === BigInt(round + 1));
        });
        await link.reset();
        await link.heal();
        expect(offsetsOf(await appending)).toEqual([BigInt(round), BigInt(round)]);
      }
      expect(await stage.witness.values(topic, 0)).toEqual(series('a', rounds));
      expect(await stage.witness.values(topic, 1)).toEqual(series('b', rounds));
    });

    test('nothing twice and nothing out of order when connections are reset at any moment', async ({ bed }) => {
      const seed = 7;
      const random = seeded(seed);
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic({ partitions: 2 });
      const link = bed.link(client, 'kafka-1');
      await link.set({ latencyMs: 2 });
      const appender = await stage.appender({ brokers: bed.kafka.brokersFor(client) });
      const rounds = 15;
      for (let round = 0; round < rounds; round += 1) {
        const appending = appender.append([batch(topic, 0, [`a-${round}`]), batch(topic, 1, [`b-${round}`])]);
        await sleep(random.next() * 8);
        await link.reset();
        const said = await appending;
        expect(offsetsOf(said), `round ${round}, seed ${seed}`).toEqual([BigInt(round), BigInt(round)]);
      }
      await link.heal();
      expect(await stage.witness.values(topic, 0), `seed ${seed}`).toEqual(series('a', rounds));
      expect(await stage.witness.values(topic, 1), `seed ${seed}`).toEqual(series('b', rounds));
    });

    const away = [
      ['nothing arrives', { blackHole: true }],
      ['only answers are lost', { blackHole: 'kafka-1' }],
      ['every connection is refused', { refuse: true }],
    ] as const;

    test.for(away)(
      'what it says when %s for longer than the delivery may take agrees with the log',
      async ([, fault], { bed }) => {
        const [deliveryTimeout, requestTimeout] = [1_200, 500];
        const settings = { brokers: bed.kafka.brokersFor(client), deliveryTimeout, requestTimeout };
        await using stage = new Stage(open, bed.kafka.brokers);
        const topic = await stage.topic();
        const link = bed.link(client, 'kafka-1');
        const driver = await stage.driver(settings);
        const appender = await driver.appender({ signal: AbortSignal.timeout(10_000) });
        offsetsOf(await appender.append([batch(topic, 0, ['before'])]));
        await link.set(fault);
        const begun = performance.now();
        const outcomes = await within(8_000, 'an outcome', appender.append([batch(topic, 0, ['in doubt'])]));
        const took = performance.now() - begun;
        // What was on its way may arrive now.
        await link.heal();
        await appender.close();
        const { happened, code } = errorOf(outcomes);
        expect(took).toBeLessThan(deliveryTimeout + 500);
        // Another appender of the same driver: none of its batches is taken for a repetition of the one in doubt.
        const next = await driver.appender({ signal: AbortSignal.timeout(10_000) });
        const after: bigint[] = [];
        for (const value of series('after', 3)) after.push(...offsetsOf(await next.append([batch(topic, 0, [value])])));
        await driver.close();
        await eventually('no connection is left', () => link.connections === 0);
        const log = await stage.witness.log(topic);
        const written = log.filter(({ value }) => value === 'in doubt').length;
        expect(written).toBeLessThanOrEqual(1);
        if (happened === 'no') expect(written, code).toBe(0);
        const ends = log.filter(({ value }) => value?.startsWith('after'));
        expect(ends.map(({ value }) => value)).toEqual(series('after', 3));
        expect(ends.map(({ offset }) => offset)).toEqual(after);
      },
    );

    test('nothing after close: what is under way fails, soon, and so does what comes later', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const link = bed.link(client, 'kafka-1');
      const appender = await stage.appender({ brokers: bed.kafka.brokersFor(client) });
      offsetsOf(await appender.append([batch(topic, 0, ['before'])]));
      await link.set({ blackHole: 'kafka-1' });
      const appending = appender.append([batch(topic, 0, ['under way'])]);
      await eventually('it is written', async () => (await stage.witness.end(topic)) === 2n);
      await within(3_000, 'it is closed', appender.close());
      // It is there: to say that it is not would be wrong.
      expect(errorOf(await within(1_000, 'an outcome', appending)).happened).toBe('unknown');
      await appender.close();
      const late = await within(1_000, 'an outcome', appender.append([batch(topic, 0, ['late'])]));
      expect(errorOf(late)).toMatchObject({ code: 'stream-closed', happened: 'no' });
      await link.heal();
      expect(await stage.witness.values(topic)).not.toContain('late');
    });

    test('by whichever of the addresses answers', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      await using away = await nobody();
      const appender = await stage.appender({ brokers: [away.address, ...bed.kafka.brokers] });
      expect(offsetsOf(await appender.append([batch(topic, 0, ['x'])]))).toEqual([0n]);
    });

    test('nothing after its driver is closed', async ({ bed }) => {
      await using stage = new Stage(open, bed.kafka.brokers);
      const topic = await stage.topic();
      const driver = await stage.driver();
      const appender = await driver.appender({ signal: AbortSignal.timeout(5_000) });
      await driver.close();
      await driver.close();
      const late = await within(1_000, 'an outcome', appender.append([batch(topic, 0, ['late'])]));
      expect(errorOf(late)).toMatchObject({ happened: 'no' });
      await appender.close();
      expect(await stage.witness.end(topic)).toBe(0n);
    });
  });
}
