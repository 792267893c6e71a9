import { randomBytes } from 'node:crypto';
import { eventually, seeded } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { describe, expect } from 'vitest';
import { DeadLetterError, type DriverName, type Message } from '../../src/index.ts';
import { bench, deadLetters, Ledger, numbered } from '../fixture.ts';
import { Member } from '../member.ts';

const seed = Number(process.env.QUORATE_SEED ?? Math.floor(Math.random() * 1e6));

/** What is promised under faults; by one client library, for the other takes as long again. */
export function transactionsSuite(driver: DriverName): void {
  describe(`by ${driver}`, () => {
    test('what is published together with the progress is there once for each message, however often its workers are killed', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using input = await bench(QUORATE_KAFKA, { driver, partitions: 3 });
      await using output = await bench(QUORATE_KAFKA, { driver, partitions: 2 });
      const chance = seeded(seed).fork(driver);
      const count = 3_000;
      const plan = {
        brokers: QUORATE_KAFKA as string,
        driver,
        topic: input.topic,
        into: output.topic,
        group: `pipe-${randomBytes(3).toString('hex')}`,
        sessionTimeout: 2_000,
      };
      await input.open().publishMany(numbered(count));
      const outcome = new Ledger(10);
      await using reader = await output.open().consume({ group: 'reader', handler: outcome.note });
      await using stack = new AsyncDisposableStack();
      let member = stack.use(await Member.start(plan));
      for (let round = 0; round < 4; round += 1) {
        const until = member.handled.length + chance.integer(100, 500);
        await eventually('it has worked', () => member.handled.length >= until || outcome.values.size === count, {
          within: 60_000,
        });
        member.kill();
        member = stack.use(await Member.start(plan));
      }
      await outcome.all(count, 60_000);
      await eventually('nothing is behind', () => reader.lag().messages === 0n);
      expect(outcome.disorder, `seed ${seed}`).toEqual([]);
      expect(outcome.entries.length, `seed ${seed}: each once`).toBe(count);
      await member.leave();
    });

    test('a handler that fails leaves nothing of what it published; dead letters go with the transaction', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using input = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
      await using output = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
      const into = output.open();
      await input.open().publishMany(numbered(10));
      const consumer = await input.open().consume({
        group: 'pipe',
        transactional: true,
        retry: { attempts: 3, delay: 1 },
        handler: async ({ value, attempt }, { transaction }) => {
          await transaction.publish(into, { key: 'a', value: `${value} at ${attempt}` });
          if (value === 3 && attempt < 2) throw new Error('once more');
          if (value === 5) throw new DeadLetterError('never');
          await transaction.publish(into, { key: 'a', value: `${value} again` });
        },
      });
      const seen: unknown[] = [];
      await using reader = await into.consume({
        group: 'reader',
        handler: ({ value }: Message) => void seen.push(value),
      });
      await eventually('all are there', () => seen.length >= 18);
      await consumer.stop();
      await eventually('nothing is behind', () => reader.lag().messages === 0n);
      const expected = [0, 1, 2, 3, 4, 6, 7, 8, 9].flatMap((value) => [
        `${value} at ${value === 3 ? 2 : 1}`,
        `${value} again`,
      ]);
      expect([...seen].sort()).toEqual(expected.sort());
      const [letter] = await deadLetters(input.stream().topic(`${input.topic}.dead`), 1);
      expect(letter).toMatchObject({ value: 5, headers: { 'quorate-dead-reason': 'rejected' } });
    });

    test('what is more than a topic takes at once goes in parts; a handler is told of one message that is too large for it', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using input = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
      const shape = { partitions: 1, settings: { 'max.message.bytes': '20000', 'retention.ms': '-1' } };
      const out = input.stream().topic(`${input.topic}-out`, shape);
      await out.create();
      const topic = input.open();
      await topic.publishMany(numbered(40, 1));
      const text = 'x'.repeat(3_000);
      await using consumer = await topic.consume({
        group: 'pipe',
        transactional: true,
        commitEvery: 50,
        retry: { attempts: 1 },
        handler: async ({ value }, { transaction }) => {
          const large = value === 'large' ? text.repeat(10) : text;
          await transaction.publish(out, { key: 'k', value: `${value} ${large}` });
        },
      });
      const seen: string[] = [];
      const note = ({ value }: { readonly value: unknown }) => void seen.push(String(value).split(' ')[0] as string);
      await using _reader = await out.consume({ group: 'reader', handler: note as never });
      await eventually('all are there', () => seen.length >= 40);
      expect(seen).toEqual(numbered(40).map(({ value }) => String(value)));
      expect(consumer.health().status).toBe('pass');
      await topic.publishMany(['large', 'next'].map((value) => ({ key: 'k', value })));
      await eventually('the next one is there', () => seen.includes('next'));
      expect([seen.length, consumer.health().status]).toEqual([41, 'pass']);
      const [letter] = await deadLetters(input.stream().topic(`${input.topic}.dead`), 1);
      expect(letter).toMatchObject({ value: 'large', headers: { 'quorate-dead-reason': 'failed' } });
      expect(letter?.headers['quorate-dead-error']).toMatch(/-out.*max\.message\.bytes/);
    });

    test('of a message of which something came that Kafka does not take nothing is seen: it is a dead letter, and all others go on', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using input = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
      await using output = await bench(QUORATE_KAFKA, { driver, partitions: 2 });
      const limited = { partitions: 2, settings: { 'message.timestamp.after.max.ms': '3600000' } };
      const timed = input.stream().topic(`${input.topic}-timed`, limited);
      await timed.create();
      const topic = input.open();
      await topic.publishMany(numbered(30));
      const into = output.open();
      await using consumer = await topic.consume({
        group: 'pipe',
        transactional: true,
        commitEvery: 50,
        handler: async ({ value }, { transaction }) => {
          const isOdd = value === 7 || value === 20;
          await transaction.publish(into, { key: `${value}`, value: `${value}` });
          const timestamp = isOdd ? Date.now() + 7_200_000 : Date.now();
          await transaction.publish(timed, { key: `${value}`, value: `${value} timed`, timestamp });
        },
      });
      const seen: string[] = [];
      const note = ({ value }: Message): void => void seen.push(String(value));
      await using _one = await into.consume({ group: 'reader', deadLetter: false, handler: note });
      await using _other = await timed.consume({ group: 'other', deadLetter: false, handler: note as never });
      await eventually('all others are there', () => seen.length >= 56);
      const letters = await deadLetters(input.stream().topic(`${input.topic}.dead`), 2);
      expect(letters.map(({ value }) => value).sort()).toEqual([20, 7]);
      for (const { headers } of letters) {
        expect(headers).toMatchObject({ 'quorate-dead-reason': 'unpublishable', 'quorate-dead-attempts': '1' });
        expect(headers['quorate-dead-error']).toContain('INVALID_TIMESTAMP');
      }
      const expected = numbered(30).filter(({ value }) => value !== 7 && value !== 20);
      expect(seen.sort()).toEqual(expected.flatMap(({ value }) => [`${value}`, `${value} timed`]).sort());
      expect([consumer.stats().deadLetters, consumer.health().status]).toEqual([2, 'pass']);
    });

    test('whoever uses the transaction without having asked for one is told', async ({
      servers: { QUORATE_KAFKA },
    }) => {
      await using input = await bench(QUORATE_KAFKA, { driver, partitions: 1 });
      const topic = input.open();
      await topic.publish({ value: 1 });
      const errors: unknown[] = [];
      await using consumer = await topic.consume({
        group: 'plain',
        retry: { attempts: 1 },
        handler: (_, { transaction }) =>
          transaction.publish(topic, { value: 2 }).catch((error: unknown) => {
            errors.push(error);
            throw error;
          }),
      });
      await eventually('it is dead', () => consumer.stats().deadLetters === 1);
      expect(errors).toEqual([expect.objectContaining({ code: 'invalid-argument' })]);
    });
  });
}
