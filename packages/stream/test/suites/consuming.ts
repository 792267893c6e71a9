import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { DeadLetterError, type DriverName, type Message } from '../../src/index.ts';
import { bench, deadLetters, Ledger, numbered } from '../fixture.ts';

/** What is promised of a consumer; by one client library, for the other takes as long again. */
export function consumingSuite(driver: DriverName): void {
  describe(`by ${driver}`, () => {
    test('every message is handled once, those of one key in order, however many are handled at a time', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using place = await bench(QUORATE_KAFKA, { driver });
      const rides = place.open();
      const ledger = new Ledger(10);
      let together = 0;
      let most = 0;
      await using consumer = await rides.consume({
        group: 'count',
        concurrency: 7,
        handler: async (message) => {
          together += 1;
          most = Math.max(most, together);
          await wait(Number(message.value) % 3);
          ledger.note(message);
          together -= 1;
        },
      });
      const published = await rides.publishMany(numbered(500));
      await ledger.all(500);
      expect(ledger.entries).toHaveLength(500);
      expect(ledger.disorder).toEqual([]);
      expect(most).toBe(7);
      // Where they stand is where they were said to stand.
      const said = new Map(published.map(({ id, offset }) => [id, offset]));
      for (const { value, offset } of ledger.entries) expect(offset).toBe(said.get(`id-${value}`));
      await eventually('nothing is behind', () => consumer.lag().messages === 0n);
      expect(consumer.health().status).toBe('pass');
      expect(consumer.stats()).toMatchObject({ handled: 500, failures: 0, deadLetters: 0 });
    });

    test('what is not finished is not committed, though later messages are', async ({ servers: { QUORATE_KAFKA } }) => {
      await using place = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
      const rides = place.open();
      await rides.publishMany(numbered(20));
      const first = new Ledger();
      const consumer = await rides.consume({
        group: 'slow',
        drain: 0,
        handler: async (message, { signal }) => {
          // The third of them does not end by itself.
          if (message.value === 3)
            await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
          first.note(message);
        },
      });
      await first.all(18);
      expect(first.values.has(3)).toBe(false);
      expect(first.values.has(13)).toBe(false);
      await consumer.stop();
      const second = new Ledger();
      await using again = await rides.consume({ group: 'slow', handler: second.note });
      await second.all(17);
      await eventually('it has caught up', () => again.lag().messages === 0n);
      expect([...second.values].sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, index) => index + 3));
    });

    test('a message that fails is tried again: its key waits, the others go on, and the order is kept', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using place = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
      const rides = place.open();
      await rides.publishMany(numbered(30, 3));
      const ledger = new Ledger(3);
      const attempts: number[] = [];
      let others = 0;
      await using consumer = await rides.consume({
        group: 'retry',
        retry: { attempts: 10, delay: 5, maxDelay: 20 },
        handler: async (message) => {
          if (message.key === 'key-0' && message.value === 0) {
            attempts.push(message.attempt);
            // It succeeds when all of the other keys are done.
            if (others < 20 || message.attempt < 4) throw new Error('not yet');
          }
          if (message.key !== 'key-0') others += 1;
          ledger.note(message);
        },
      });
      await ledger.all(30);
      expect(ledger.disorder).toEqual([]);
      expect(attempts.length).toBeGreaterThanOrEqual(4);
      expect(attempts).toEqual(attempts.map((_, index) => index + 1));
      expect(consumer.stats().failures).toBe(attempts.length - 1);
    });

    test('what cannot be handled becomes a dead letter as it was, with the reason, and its key goes on', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using place = await bench(QUORATE_KAFKA, { driver, partitions: 2 });
      const rides = place.open();
      const published = await rides.publishMany(numbered(20, 4).map((one) => ({ ...one, headers: { tenant: 'a' } })));
      const ledger = new Ledger();
      await using consumer = await rides.consume({
        group: 'billing',
        retry: { attempts: 3, delay: 1 },
        handler: (message) => {
          if (message.value === 4) throw new Error('no such cab');
          if (message.value === 5) throw new DeadLetterError('a fare of nothing');
          ledger.note(message);
        },
      });
      await ledger.all(18);
      await eventually('two are dead', () => consumer.stats().deadLetters === 2);
      const letters = await deadLetters(place.stream().topic(`${place.topic}.dead`), 2);
      const [failed, rejected] = letters.sort((a, b) => Number(a.value) - Number(b.value)) as [Message, Message];
      const { partition, offset } = published[4] as (typeof published)[0];
      expect(failed).toMatchObject({ key: 'key-0', value: 4, id: 'id-4' });
      expect(failed.headers).toMatchObject({
        tenant: 'a',
        'quorate-dead-reason': 'failed',
        'quorate-dead-error': 'Error: no such cab',
        'quorate-dead-topic': place.topic,
        'quorate-dead-partition': String(partition),
        'quorate-dead-offset': String(offset),
        'quorate-dead-attempts': '3',
        'quorate-dead-group': 'billing',
      });
      expect(rejected.headers).toMatchObject({ 'quorate-dead-reason': 'rejected', 'quorate-dead-attempts': '1' });
    });

    test('a second member takes over part of the work, and no message is handled by both at the same time', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using place = await bench(QUORATE_KAFKA, { driver });
      const rides = place.open();
      const ledger = new Ledger(10);
      const running = new Map<string, string>();
      const overlaps: string[] = [];
      const member = (by: string) => ({
        group: 'shared',
        handler: async (message: Message): Promise<void> => {
          const other = running.get(String(message.key));
          if (other !== undefined) overlaps.push(`${by} while ${other}: ${message.key}`);
          running.set(String(message.key), by);
          await wait(2);
          running.delete(String(message.key));
          ledger.note(message, by);
        },
      });
      await using first = await rides.consume(member('first'));
      let count = 0;
      let enough = false;
      const publishing = (async () => {
        for (; !enough; count += 100) {
          const some = Array.from({ length: 100 }, (_, index) => count + index);
          await rides.publishMany(some.map((value) => ({ key: `key-${value % 10}`, value })));
          // Not so far ahead that the end is long in coming.
          await eventually('most are handled', () => ledger.values.size > count - 400);
        }
      })();
      await ledger.all(200);
      const second = await place.open().consume(member('second'));
      await eventually('the second has a part', () => second.lag().partitions.length === 2);
      await eventually('the second has worked', () => second.stats().handled > 200);
      await second.stop();
      enough = true;
      await publishing;
      await ledger.all(count);
      expect(overlaps).toEqual([]);
      expect(ledger.disorder).toEqual([]);
      // All of it was finished and committed before it was handed over.
      expect(ledger.entries).toHaveLength(count);
      await eventually('the first has all again', () => first.lag().partitions.length === 4);
    });

    test('reading stops when enough has arrived, and goes on when there is room', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using place = await bench(QUORATE_KAFKA, { driver, partitions: 2 });
      const rides = place.open();
      const text = 'x'.repeat(2_000);
      await rides.publishMany(numbered(10_000, 100).map((one) => ({ ...one, value: { number: one.value, text } })));
      const seen = new Set<number>();
      let gate: PromiseWithResolvers<void> | undefined = Promise.withResolvers();
      await using consumer = await rides.consume({
        group: 'bounded',
        buffer: { messages: 100 },
        handler: async ({ value }) => {
          await gate?.promise;
          seen.add((value as { readonly number: number }).number);
        },
      });
      await eventually('enough has arrived', () => consumer.buffered.messages >= 200);
      let before = -1;
      await eventually(
        'no more arrives',
        () => {
          const steady = consumer.buffered.messages === before;
          before = consumer.buffered.messages;
          return steady;
        },
        { every: 700 },
      );
      // Of 20 MB: what was on its way when it stopped, which is 1 MiB of each partition at a time.
      expect(consumer.buffered.bytes).toBeLessThan(6 * 2 ** 20);
      gate.resolve();
      gate = undefined;
      await eventually('all are handled', () => seen.size === 10_000);
    });

    test('stop waits for what is under way, and not longer than it was told to', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using place = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
      const rides = place.open();
      await rides.publishMany(numbered(2));
      const seen: string[] = [];
      const consumer = await rides.consume({
        group: 'stopping',
        drain: 300,
        handler: async ({ key }, { signal }) => {
          seen.push(`begin ${key}`);
          if (key === 'key-0') await wait(100);
          // Whoever does not listen is left behind.
          else await new Promise((resolve) => signal.addEventListener('abort', resolve));
          seen.push(`end ${key}`);
        },
      });
      await eventually('both have begun', () => seen.length === 2);
      const before = performance.now();
      await consumer.stop();
      expect(performance.now() - before).toBeLessThan(3_000);
      expect(seen.slice(2).sort()).toEqual(['end key-0', 'end key-1']);
      expect(consumer.health().status).toBe('fail');
      await consumer.stop();
    });
  });
}
