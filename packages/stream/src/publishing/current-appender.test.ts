import { setImmediate as turn } from 'node:timers/promises';
import { AmbiguousError } from '@quorate/core';
import { expect, test } from 'vitest';
import type { Appended, Appender } from '../driver/appender.ts';
import { KafkaUnreachableError } from '../errors/kafka-unreachable-error.ts';
import { CurrentAppender } from './current-appender.ts';

const batch = { topic: 't', partition: 0, records: [] };
const done: Appended = { offset: 0n };
const doubt: Appended = { error: new AmbiguousError('no answer') };

/** Appends to no Kafka: what comes of each request is up to the test. */
class Fake implements Appender {
  closed = false;
  readonly #answers: Promise<Appended>[];

  constructor(answers: readonly (Appended | Promise<Appended>)[]) {
    this.#answers = answers.map((answer) => Promise.resolve(answer));
  }

  async append(): Promise<readonly Appended[]> {
    return [(await this.#answers.shift()) ?? doubt];
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

test('an appender that could not be had is asked for again by the next request', async () => {
  let tries = 0;
  const current = new CurrentAppender(async () => {
    tries += 1;
    if (tries === 1) throw new KafkaUnreachableError('publish');
    return new Fake([done]);
  });
  expect(await current.append([batch])).toMatchObject([{ error: { code: 'kafka-unreachable' } }]);
  expect(await current.append([batch])).toEqual([done]);
  await current.close();
});

test('after an outcome that nobody knows another one takes its place, which is closed when its other requests have ended', async () => {
  const slow = Promise.withResolvers<Appended>();
  const fakes = [new Fake([slow.promise, doubt]), new Fake([done])];
  const [first, second] = fakes;
  const current = new CurrentAppender(async () => fakes.shift() as Fake);
  const underWay = current.append([batch]);
  expect(await current.append([batch])).toEqual([doubt]);
  expect(await current.append([batch])).toEqual([done]);
  await turn();
  expect(first?.closed).toBe(false);
  slow.resolve(done);
  expect(await underWay).toEqual([done]);
  await turn();
  expect([first?.closed, second?.closed]).toEqual([true, false]);
  await current.close();
  expect(second?.closed).toBe(true);
});
