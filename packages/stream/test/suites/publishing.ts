import { createServer } from 'node:net';
import { eventually, seeded } from '@quorate/testbed';
import { bedTest, sharedTest } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { z } from 'zod';
import {
  type DriverName,
  MessageTooLargeError,
  PartlyPublishedError,
  Stream,
  TopicDiffersError,
} from '../../src/index.ts';
import { bench, numbered } from '../fixture.ts';

const seed = Number(process.env.QUORATE_SEED ?? Math.floor(Math.random() * 1e6));
const linked = bedTest({ kafka: { brokers: 1, clients: ['shop'] } });

/** What is promised of publishing; by one client library, for the other takes as long again. */
export function publishingSuite(driver: DriverName): void {
  describe(`by ${driver}`, () => {
    sharedTest(
      'messages of one key stand in the order of the calls, whoever else publishes',
      async ({ servers: { QUORATE_KAFKA } }) => {
        await using place = await bench(QUORATE_KAFKA, { driver });
        const rides = place.open();
        // The first are called before anything is known of the topic.
        await Promise.all(numbered(2_000, 20).map((message) => rides.publish(message)));
        const last = new Map<unknown, number>();
        let count = 0;
        for await (const { key, value } of rides.read()) {
          expect(Number(value)).toBe((last.get(key) ?? Number(value) - 20) + 20);
          last.set(key, Number(value));
          count += 1;
        }
        expect(count).toBe(2_000);
      },
    );

    sharedTest(
      'a message that Kafka refuses for itself is refused alone: those that went with it are there, in order',
      async ({ servers: { QUORATE_KAFKA } }) => {
        await using place = await bench(QUORATE_KAFKA, { driver });
        const shape = { partitions: 1, settings: { 'cleanup.policy': 'compact' } };
        const rides = place.stream().topic(`${place.topic}-compacted`, shape);
        await rides.create();
        const messages = numbered(40, 1);
        const [without, tooLate] = [7, 23];
        messages[without] = { value: 'without a key' };
        messages[tooLate] = { key: 'key-0', value: 'of tomorrow', timestamp: Date.now() + 86_400_000 };
        const outcomes = await Promise.allSettled(messages.map((message) => rides.publish(message)));
        const failed = outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []));
        expect(failed).toEqual([without, tooLate]);
        const refused = { code: 'refused', happened: 'no' };
        expect(outcomes[without]).toMatchObject({ reason: { ...refused, reason: 'INVALID_RECORD' } });
        expect(outcomes[tooLate]).toMatchObject({ reason: { ...refused, reason: 'INVALID_TIMESTAMP' } });
        const values: unknown[] = [];
        for await (const { value } of rides.read()) values.push(value);
        expect(values).toEqual(numbered(40).flatMap(({ value }, index) => (failed.includes(index) ? [] : [value])));
        // Also of those that were published together.
        const error = await rides
          .publishMany([{ key: 'a', value: 1 }, { value: 2 }])
          .catch((reason: unknown) => reason);
        expect(error).toMatchObject({ outcomes: [{ offset: expect.anything() }, { error: refused }] });
      },
    );

    sharedTest(
      'what is too large, of the wrong shape or for no partition is refused before it is sent',
      async ({ servers: { QUORATE_KAFKA } }) => {
        await using place = await bench(QUORATE_KAFKA, { driver, partitions: 2 });
        const stream = place.stream({ maxMessageBytes: 1_000 });
        const rides = stream.topic(place.topic, { value: z.object({ fare: z.number() }) });
        const fare = { fare: 1 };
        await expect(rides.publish({ value: { fare: 'x' } as never })).rejects.toMatchObject({
          code: 'invalid-message',
        });
        await expect(rides.publish({ key: 'k'.repeat(2_000), value: fare })).rejects.toThrow(MessageTooLargeError);
        await expect(rides.publish({ partition: 2, value: fare })).rejects.toThrow(`0 to 1: ${place.topic} has 2`);
        await expect(rides.publish({ partition: -1, value: fare })).rejects.toMatchObject({ code: 'invalid-argument' });
        // One bad one among many: none is sent.
        const some = [{ value: fare }, { value: {} as never }];
        await expect(rides.publishMany(some)).rejects.toMatchObject({ code: 'invalid-message' });
        const signal = AbortSignal.abort(new Error('too late'));
        await expect(rides.publish({ value: fare }, { signal })).rejects.toThrow('too late');
        expect((await place.recordsOf(place.topic)).every((end) => end === 0n)).toBe(true);
        const { partition, offset } = await rides.publish({ partition: 1, value: fare });
        expect([partition, offset]).toEqual([1, 0n]);
      },
    );

    sharedTest(
      'a topic that takes less than a batch gets the messages in smaller ones; one that is too large alone is refused',
      async ({ servers: { QUORATE_KAFKA } }) => {
        await using place = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
        const stream = place.stream();
        const small = stream.topic(`${place.topic}-small`, { settings: { 'max.message.bytes': '20000' } });
        await small.create();
        const text = 'x'.repeat(1_500);
        const messages = Array.from({ length: 60 }, (_, number) => ({ key: 'a', value: { number, text } }));
        const published = await small.publishMany(messages);
        expect(published.map(({ offset }) => offset)).toEqual(messages.map((_, index) => BigInt(index)));
        const mixed = [messages[0], { key: 'a', value: 'x'.repeat(30_000) }, messages[1]] as typeof messages;
        const error = (await small.publishMany(mixed).catch((reason: unknown) => reason)) as PartlyPublishedError;
        expect(error).toBeInstanceOf(PartlyPublishedError);
        expect(error.outcomes.map((outcome) => 'error' in outcome)).toEqual([false, true, false]);
        expect(error.outcomes[1]).toMatchObject({ error: { code: 'message-too-large', happened: 'no' } });
      },
    );

    sharedTest(
      'a topic that is there and differs is left as it is, and the difference is told',
      async ({ servers: { QUORATE_KAFKA } }) => {
        await using place = await bench(QUORATE_KAFKA, { driver, partitions: 3 });
        const stream = place.stream();
        await stream.topic(place.topic, { partitions: 3, replication: 1 }).create();
        const other = stream.topic(place.topic, {
          partitions: 5,
          retention: '1d',
          settings: { 'cleanup.policy': 'compact' },
        });
        const error = (await other.create().catch((reason: unknown) => reason)) as TopicDiffersError;
        expect(error).toBeInstanceOf(TopicDiffersError);
        expect(error.differences.map(({ point }) => point).sort()).toEqual([
          'cleanup.policy',
          'partitions',
          'retention.ms',
        ]);
        expect(error.message).toContain('partitions is 3, declared was 5');
      },
    );

    sharedTest(
      'a stream that is stopped sends what it has taken, and takes nothing more',
      async ({ servers: { QUORATE_KAFKA } }) => {
        await using place = await bench(QUORATE_KAFKA, { driver });
        const stream = place.stream();
        const rides = place.open(stream);
        await rides.publish({ value: 'first' });
        const publishing = Promise.all(numbered(500).map((message) => rides.publish(message)));
        await stream.stop();
        expect(await publishing).toHaveLength(500);
        await expect(rides.publish({ value: 1 })).rejects.toMatchObject({ code: 'stream-closed', happened: 'no' });
        await expect(rides.consume({ group: 'late', handler: () => {} })).rejects.toMatchObject({
          code: 'stream-closed',
        });
        expect(stream.health().status).toBe('fail');
        await stream.stop();
      },
    );

    sharedTest('where nobody answers, whoever waits is told, and in time', async () => {
      // It takes connections and says nothing.
      const silent = createServer(() => {});
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      await using _ = { [Symbol.asyncDispose]: async () => void silent.close() };
      const { port } = silent.address() as { readonly port: number };
      for (const brokers of [`127.0.0.1:${port}`, '127.0.0.1:1']) {
        await using stream = new Stream({
          brokers,
          driver,
          requestTimeout: 500,
          connectTimeout: 500,
          deliveryTimeout: 1_000,
        });
        const rides = stream.topic('rides');
        const before = performance.now();
        await expect(stream.start(new AbortController().signal)).rejects.toMatchObject({ code: 'kafka-unreachable' });
        await expect(rides.publish({ value: 1 })).rejects.toMatchObject({
          code: 'kafka-unreachable',
          happened: 'no',
          retryable: true,
        });
        const soon = await rides
          .publish({ value: 1 }, { timeout: 100 })
          .catch((error: { readonly code?: string }) => error.code);
        // Whichever comes first: a refused connection is known at once.
        expect(['deadline-exceeded', 'kafka-unreachable']).toContain(soon);
        const reason = new Error('enough');
        const controller = new AbortController();
        const waiting = rides.publish({ value: 1 }, { signal: controller.signal });
        controller.abort(reason);
        await expect(waiting).rejects.toBe(reason);
        await expect(rides.consume({ group: 'g', handler: () => {} })).rejects.toMatchObject({
          code: 'kafka-unreachable',
        });
        expect(performance.now() - before).toBeLessThan(20_000);
      }
    });

    linked('callers wait when too much waits to be sent, and go on in order when there is room', async ({ bed }) => {
      await using place = await bench(bed.kafka.url, { driver, partitions: 1 });
      const stream = place.stream({
        brokers: bed.kafka.brokersFor('shop'),
        maxBufferedBytes: 50_000,
        deliveryTimeout: '60s',
        requestTimeout: '20s',
      });
      const rides = place.open(stream);
      await rides.publish({ key: 'a', value: 'first' });
      const link = bed.link('shop', 'kafka-1');
      await link.set({ blackHole: true });
      const text = 'x'.repeat(1_000);
      const before = process.memoryUsage().rss;
      const publishing = numbered(20_000, 1).map((message) =>
        rides.publish({ ...message, value: { n: message.value, text } }),
      );
      await new Promise((resolve) => setImmediate(resolve));
      expect(process.memoryUsage().rss - before).toBeLessThan(400 * 2 ** 20);
      // Who gives up outside was never sent.
      const controller = new AbortController();
      const given = rides.publish({ key: 'a', value: 'given up' }, { signal: controller.signal });
      controller.abort(new Error('no room'));
      await expect(given).rejects.toThrow('no room');
      await link.heal();
      await Promise.all(publishing);
      let next = 0;
      for await (const { value } of place.open().read({ from: new Map([[0, 1n]]) })) {
        expect((value as { readonly n: number }).n).toBe(next);
        next += 1;
      }
      expect(next).toBe(20_000);
    });

    linked('health says when nothing can be sent, and when it can be again', async ({ bed }) => {
      await using place = await bench(bed.kafka.url, { driver });
      const brokers = bed.kafka.brokersFor('shop');
      const stream = place.stream({ brokers, deliveryTimeout: '1s', requestTimeout: 500, connectTimeout: 500 });
      const rides = place.open(stream);
      await rides.publish({ value: 1 });
      expect(stream.health().status).toBe('pass');
      await bed.link('shop', 'kafka-1').set({ refuse: true });
      await expect(rides.publish({ value: 2 })).rejects.toMatchObject({ name: expect.stringMatching(/Error$/) });
      expect(stream.health()).toMatchObject({ status: 'fail', parts: { publishing: { status: 'fail' } } });
      await bed.link('shop', 'kafka-1').heal();
      await eventually('it is sent again', () => rides.publish({ value: 3 }));
      expect(stream.health().status).toBe('pass');
    });

    linked('callers that give up at random points: what is said of each agrees with what is there', async ({ bed }) => {
      await using place = await bench(bed.kafka.url, { driver, partitions: 2 });
      const stream = place.stream({ brokers: bed.kafka.brokersFor('shop') });
      const rides = place.open(stream);
      const chance = seeded(seed).fork(driver);
      await rides.publish({ value: -1 });
      const link = bed.link('shop', 'kafka-1');
      await link.set({ latencyMs: 5, jitterMs: 10, seed });
      const outcomes = new Map<number, 'written' | 'not written' | 'unknown'>();
      for (let from = 0; from < 600; from += 20)
        await Promise.all(
          numbered(600)
            .slice(from, from + 20)
            .map(async (message) => {
              // Not all at once: some wait behind what is on its way.
              await new Promise((resolve) => setTimeout(resolve, chance.integer(0, 40)));
              const controller = new AbortController();
              const timer = setTimeout(() => controller.abort(new Error('enough')), chance.integer(0, 60));
              const outcome = await rides.publish(message, { signal: controller.signal }).then(
                () => 'written' as const,
                (error: { readonly code?: string }) => (error.code === 'ambiguous' ? 'unknown' : 'not written'),
              );
              clearTimeout(timer);
              outcomes.set(Number(message.value), outcome);
            }),
        );
      await link.heal();
      await stream.stop();
      const there = new Set<number>();
      for await (const { value } of place.open().read()) there.add(Number(value));
      for (const [number, outcome] of outcomes) {
        if (outcome === 'written') expect(there.has(number), `seed ${seed}: ${number}`).toBe(true);
        if (outcome === 'not written') expect(there.has(number), `seed ${seed}: ${number}`).toBe(false);
      }
      // Each of them happened: otherwise nothing was shown.
      expect(new Set(outcomes.values()).size, `seed ${seed}`).toBe(3);
    });
  });
}
