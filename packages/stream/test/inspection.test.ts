import { Admin } from '@platformatic/kafka';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { DeadLetterError, type Message } from '../src/index.ts';
import { Witness } from './driver/witness.ts';
import { bench, drivers, Ledger, numbered } from './fixture.ts';

// Side by side, because most of the time they wait.
describe.concurrent.each(drivers)('by %s', (driver) => {
  test('a group is shown with its lag, its oldest unread message, and who has which partition', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 2 });
    const rides = place.open();
    const group = `${place.topic}-group`;
    const ledger = new Ledger();
    const first = await place.open(place.stream({ clientId: 'meter' })).consume({ group, handler: ledger.note });
    await rides.publishMany(numbered(20));
    await ledger.all(20);
    const inspection = place.stream().inspection();
    const committed = async (): Promise<boolean> => {
      const [report] = await inspection.groups({ group });
      return report?.partitions.every(({ lag }) => lag === 0n) ?? false;
    };
    await eventually('all is committed', committed);
    const [busy] = await inspection.groups({ group });
    expect(busy).toMatchObject({ group, state: 'Stable' });
    expect(
      busy?.partitions.map(({ topic, partition, lag, oldestUnread }) => [topic, partition, lag, oldestUnread]),
    ).toEqual([
      [place.topic, 0, 0n, undefined],
      [place.topic, 1, 0n, undefined],
    ]);
    expect(busy?.partitions[0]?.member).toMatch(/^meter at /);
    await first.stop();
    const published = await rides.publish({ key: 'x', value: 1, timestamp: 1_700_000_000_000 });
    await rides.publish({ key: 'x', value: 2 });
    const [idle] = await inspection.groups({ group });
    expect(idle?.state).toBe('Empty');
    const behind = idle?.partitions.find(({ partition }) => partition === published.partition);
    expect(behind).toMatchObject({
      lag: 2n,
      committed: published.offset,
      oldestUnread: 1_700_000_000_000,
      member: undefined,
    });
    expect((await inspection.groups()).some((report) => report.group === group)).toBe(true);
    const [topic] = await inspection.topics({ topic: place.topic });
    expect(topic?.partitions.reduce((sum, { begin = 0n, end = 0n }) => sum + end - begin, 0n)).toBe(22n);
  });

  test('dead letters are listed with their reasons, and sent again once each', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 2 });
    const rides = place.open();
    let mended = false;
    const seen: Message[] = [];
    await using consumer = await rides.consume({
      group: 'billing',
      retry: { attempts: 1 },
      handler: (message) => {
        if (!mended && Number(message.value) % 5 === 0) throw new Error('the table is missing');
        seen.push(message);
      },
    });
    await rides.publishMany(numbered(20).map((one) => ({ ...one, headers: { tenant: 'a' } })));
    await eventually('four are dead', () => consumer.stats().deadLetters === 4);
    const inspection = place.stream().inspection();
    const letters = await inspection.deadLetters(place.topic);
    expect(letters).toHaveLength(4);
    for (const letter of letters)
      expect(letter).toMatchObject({
        reason: 'failed',
        error: 'Error: the table is missing',
        attempts: 1,
        group: 'billing',
        redelivered: false,
        origin: { topic: place.topic },
      });
    mended = true;
    expect(await inspection.redeliver(place.topic)).toBe(4);
    expect(await inspection.redeliver(place.topic)).toBe(0);
    await eventually('all are handled', () => seen.length === 20);
    expect(
      seen
        .filter(({ value }) => Number(value) % 5 === 0)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['id-0', 'id-10', 'id-15', 'id-5']);
    // As they were: of their death nothing is left.
    for (const { headers } of seen) {
      expect(headers.tenant).toBe('a');
      expect(Object.keys(headers).filter((name) => name.startsWith('quorate-dead'))).toEqual([]);
    }
    const again = await inspection.deadLetters(place.topic);
    expect(again.map(({ redelivered }) => redelivered)).toEqual([true, true, true, true]);
    // What Kafka does by itself after some days.
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [String(QUORATE_KAFKA)] });
    const topics = [{ name: `${place.topic}.dead`, partitionIndexes: [0, 1] }];
    await admin.deleteConsumerGroupOffsets({ groupId: 'quorate-redelivery', topics });
    await admin.close();
    expect(await inspection.deadLetters(place.topic)).toEqual(again);
    expect(await inspection.redeliver(place.topic)).toBe(0);
    expect(seen).toHaveLength(20);
  });

  test('dead letters that are large together go again all the same, in their order, also to a topic that takes less at a time', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver });
    const name = `${place.topic}-narrow`;
    const rides = place.stream().topic(name, { partitions: 1, settings: { 'max.message.bytes': '100000' } });
    await rides.create();
    const text = 'x'.repeat(30_000);
    let mended = false;
    const seen: number[] = [];
    await using _consumer = await rides.consume({
      group: 'shop',
      handler: ({ value }) => {
        if (!mended) throw new DeadLetterError('the table is missing');
        seen.push((value as { readonly number: number }).number);
      },
    });
    const count = 60;
    for (let number = 0; number < count; number += 1) await rides.publish({ key: 'a', value: { number, text } });
    const inspection = place.stream().inspection();
    await eventually('all are dead', async () => (await inspection.deadLetters(name)).length === count);
    mended = true;
    expect(await inspection.redeliver(name)).toBe(count);
    await eventually('all are handled', () => seen.length === count);
    expect(seen).toEqual(Array.from({ length: count }, (_, number) => number));
  });

  test('a group is set back, and does it all again; not while it has members', async ({
    servers: { QUORATE_KAFKA },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 2 });
    const rides = place.open();
    const group = `${place.topic}-group`;
    await rides.publishMany(numbered(10).map((one) => ({ ...one, timestamp: 1_000_000 })));
    await rides.publishMany(
      numbered(20)
        .slice(10)
        .map((one) => ({ ...one, timestamp: 2_000_000 })),
    );
    const first = new Ledger();
    const consumer = await rides.consume({ group, handler: first.note });
    await first.all(20);
    const inspection = place.stream().inspection();
    await expect(inspection.rewind(group, place.topic, 'earliest')).rejects.toMatchObject({ code: 'group-in-use' });
    await consumer.stop();
    await inspection.rewind(group, place.topic, new Date(1_500_000));
    const second = new Ledger();
    await using again = await rides.consume({ group, handler: second.note });
    await second.all(10);
    await eventually('nothing is behind', () => again.lag().messages === 0n);
    expect([...second.values].sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, index) => index + 10));
    await expect(inspection.rewind(group, `${place.topic}-none`, 'earliest')).rejects.toMatchObject({
      code: 'unknown-topic',
    });
    await expect(inspection.rewind('nobody', place.topic, new Map([[5, 0n]]))).rejects.toThrow(
      'partitions from 0 to 1',
    );
  });

  test('where retention has taken all that was asked for, looking and reading end', async ({
    servers: { QUORATE_KAFKA = '' },
  }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
    await using witness = new Witness([QUORATE_KAFKA]);
    const rides = place.open();
    const group = `${place.topic}-group`;
    const inspection = place.stream().inspection();
    await rides.publishMany(numbered(5));
    await inspection.rewind(group, place.topic, new Map([[0, 2n]]));
    await witness.deleteRecords(place.topic, 0, 5n);
    const [report] = await inspection.groups({ group });
    expect(report?.partitions).toMatchObject([{ committed: 2n, end: 5n, lag: 3n, oldestUnread: undefined }]);
    for await (const message of rides.read({ from: new Map([[0, 1n]]) })) expect(message).toBeUndefined();
    // Of what is left all is read.
    await rides.publishMany(numbered(2));
    const values: unknown[] = [];
    for await (const { value } of rides.read({ from: new Map([[0, 1n]]) })) values.push(value);
    expect(values).toEqual([0, 1]);
  });

  test('a topic is read without a group, as far as it goes', async ({ servers: { QUORATE_KAFKA } }) => {
    await using place = await bench(QUORATE_KAFKA, { driver, partitions: 3 });
    const rides = place.open();
    const values = async (options: Parameters<typeof rides.read>[0] = {}): Promise<number[]> => {
      const read: number[] = [];
      for await (const { value } of rides.read(options)) read.push(Number(value));
      return read.sort((a, b) => a - b);
    };
    expect(await values()).toEqual([]);
    await rides.publishMany(numbered(5_000, 50).map((one) => ({ ...one, timestamp: 1_000 + Number(one.value) })));
    expect(await values()).toEqual(Array.from({ length: 5_000 }, (_, index) => index));
    // By time a partition is cut at its first message of that time or later: each has its own in order.
    expect(await values({ from: new Date(1_000 + 4_990) })).toEqual(
      Array.from({ length: 10 }, (_, index) => 4_990 + index),
    );
    expect(await values({ from: 'latest' })).toEqual([]);
    // Who stops early leaves nothing open.
    for await (const { value } of rides.read()) if (value !== undefined) break;
    const controller = new AbortController();
    const reason = new Error('enough');
    const reading = (async () => {
      for await (const _ of rides.read({ signal: controller.signal })) controller.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
  });
});
