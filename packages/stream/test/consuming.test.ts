import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { UnknownTopicError } from '../src/index.ts';
import { Witness } from './driver/witness.ts';
import { bench, deadLetters, Ledger, numbered } from './fixture.ts';

test('messages that come a second time are left out', async ({ servers: { QUORATE_KAFKA } }) => {
  await using place = await bench(QUORATE_KAFKA);
  const rides = place.open();
  const ledger = new Ledger();
  await using consumer = await rides.consume({ group: 'once', dedupe: 1_000, handler: ledger.note });
  await rides.publishMany([...numbered(50), ...numbered(50), ...numbered(60)]);
  await ledger.all(60);
  await eventually('all have arrived', () => consumer.lag().messages === 0n);
  expect(ledger.entries).toHaveLength(60);
  expect(consumer.stats().duplicates).toBe(100);
});

test('a topic that is not there is an error, and nothing is left of the attempt', async ({
  servers: { QUORATE_KAFKA },
}) => {
  await using place = await bench(QUORATE_KAFKA);
  const missing = place.stream().topic(`${place.topic}-missing`);
  await expect(missing.consume({ group: 'none', handler: () => {} })).rejects.toThrow(UnknownTopicError);
  await expect(missing.publish({ value: 1 })).rejects.toThrow(
    `there is no topic "${place.topic}-missing": make it with topic.create(), or check its name`,
  );
});

test('where order is given up, a message that failed is tried again later, and those behind it do not wait', async ({
  servers: { QUORATE_KAFKA },
}) => {
  await using place = await bench(QUORATE_KAFKA, { partitions: 2 });
  const rides = place.open();
  const published = await rides.publishMany(numbered(40, 2));
  const seen: string[] = [];
  await using consumer = await rides.consume({
    group: 'later',
    retry: { attempts: 3, delay: 300, outOfOrder: true },
    handler: ({ value, attempt, offset, partition, topic }) => {
      const said = published[Number(value)];
      expect([topic, partition, offset]).toEqual([place.topic, said?.partition, said?.offset]);
      seen.push(`${value}.${attempt}`);
      if (value === 0 && attempt < 3) throw new Error('not yet');
      if (value === 1) throw new Error('never');
    },
  });
  await eventually('one is dead', () => consumer.stats().deadLetters === 1);
  await eventually('all are done with', () => consumer.lag().messages === 0n);
  const [letter] = await deadLetters(place.stream().topic(`${place.topic}.dead`), 1);
  // What somebody else puts there stops nothing.
  await place.stream().topic(`${place.topic}.later.later`).publish({ key: 'a', value: 'strange' });
  await eventually('another is dead', () => consumer.stats().deadLetters === 2);
  await eventually('all are done with', () => consumer.lag().messages === 0n);
  const firstTries = seen.filter((one) => one.endsWith('.1'));
  expect(firstTries).toHaveLength(40);
  // They did not wait for the second attempt of the first.
  expect(seen.indexOf('38.1')).toBeLessThan(seen.indexOf('0.2'));
  expect(seen.filter((one) => one.startsWith('0.'))).toEqual(['0.1', '0.2', '0.3']);
  expect(seen.filter((one) => one.startsWith('1.'))).toEqual(['1.1', '1.2', '1.3']);
  expect(letter?.headers).toMatchObject({
    'quorate-dead-topic': place.topic,
    'quorate-dead-offset': String(published[1]?.offset),
    'quorate-dead-attempts': '3',
  });
});

test('options that make no sense are refused before anything is touched', async ({ servers: { QUORATE_KAFKA } }) => {
  await using place = await bench(QUORATE_KAFKA);
  const rides = place.open();
  const handler = (): void => {};
  const refused = (options: object): Promise<unknown> =>
    rides.consume({ group: 'g', handler, ...options } as never).then(
      () => 'accepted',
      (error: Error) => error.message,
    );
  const table: [object, string][] = [
    [{ group: '' }, 'group'],
    [{ group: 'a b' }, 'group'],
    [{ handler: undefined }, 'handler'],
    [{ from: 'end' }, 'from'],
    [{ concurrency: 0 }, 'concurrency'],
    [{ concurency: 1 }, 'concurency'],
    [{ retry: { attempts: 0 } }, 'retry.attempts'],
    [{ retry: { tries: 1 } }, 'retry.tries'],
    [{ retry: { outOfOrder: true, maxDelay: '1m' } }, 'retry.maxDelay'],
    [{ fenced: true, retry: { outOfOrder: true } }, 'fenced'],
    [{ dedupe: -1 }, 'dedupe'],
    [{ deadLetter: 'no' }, 'deadLetter'],
    [{ sessionTimeout: 10 }, 'sessionTimeout'],
    [{ sessionTimeout: '10s', handOver: '9s' }, 'handOver'],
    [{ buffer: { messages: 0 } }, 'buffer.messages'],
    [{ buffer: 5 }, 'buffer'],
  ];
  for (const [options, name] of table) expect(await refused(options), JSON.stringify(options)).toContain(name);
});

test.for([false, true])(
  'a dead letter may be larger than its message, which is as large as the topic takes (put off first: %s)',
  async (outOfOrder, { servers: { QUORATE_KAFKA } }) => {
    await using place = await bench(QUORATE_KAFKA);
    const largest = 2_000_000;
    const settings = { 'max.message.bytes': String(largest) };
    const stream = place.stream({ maxMessageBytes: largest });
    const rides = stream.topic(`${place.topic}-wide`, { partitions: 1, settings });
    await rides.create();
    // What Kafka adds to it is 155 bytes: there is no room for one more header.
    const text = 'x'.repeat(largest - 170);
    await rides.publish({ key: 'a', value: text });
    await using consumer = await rides.consume({
      group: 'shop',
      retry: { attempts: 2, delay: 10, outOfOrder },
      handler: () => {
        throw new Error('no room for it');
      },
    });
    await eventually('it is a dead letter', () => consumer.stats().deadLetters === 1);
    const [letter] = await deadLetters(stream.topic(`${place.topic}-wide.dead`), 1);
    expect(letter?.value).toBe(text);
    expect(await stream.inspection().redeliver(rides.name)).toBe(1);
  },
);

test.for([
  { transactional: false, outOfOrder: false },
  { transactional: false, outOfOrder: true },
  { transactional: true, outOfOrder: true },
])(
  'of a message that was compressed, and is too large for a dead letter, the beginning is one (%j)',
  async ({ transactional, outOfOrder }, { servers: { QUORATE_KAFKA = '' } }) => {
    await using place = await bench(QUORATE_KAFKA, { partitions: 1 });
    await using witness = new Witness([QUORATE_KAFKA]);
    const rides = place.open();
    const text = JSON.stringify('x'.repeat(3_000_000));
    await witness.produce(place.topic, 0, [text], 'gzip');
    await rides.publish({ value: 1 });
    await using consumer = await rides.consume({
      group: 'shop',
      transactional,
      retry: { attempts: 2, delay: 10, outOfOrder },
      handler: ({ value }) => {
        if (value !== 1) throw new Error('not a number');
      },
    });
    await eventually('all are done with', () => consumer.stats().deadLetters === 1 && consumer.stats().handled === 1);
    const inspection = place.stream().inspection();
    await eventually('it is there', async () => (await inspection.deadLetters(place.topic)).length === 1);
    const [letter] = await inspection.deadLetters(place.topic);
    expect(letter?.error).toMatch(/^Error: not a number; the first \d{7} of 3000002 bytes of its value are left$/);
    const [logged] = await witness.values(`${place.topic}.dead`);
    expect([text.startsWith(logged ?? '?'), (logged ?? '').length > 1_000_000]).toEqual([true, true]);
    // It cannot go again as it was.
    expect(await inspection.redeliver(place.topic)).toBe(0);
    expect((await inspection.deadLetters(place.topic)).map(({ redelivered }) => redelivered)).toEqual([false]);
  },
);

test('a topic whose messages may be as large as Kafka allows has its further topics too', async ({
  servers: { QUORATE_KAFKA },
}) => {
  await using place = await bench(QUORATE_KAFKA);
  const settings = { 'max.message.bytes': String(2 ** 31 - 1) };
  const rides = place.stream().topic(`${place.topic}-wide`, { settings });
  await rides.create();
  await using consumer = await rides.consume({ group: 'shop', handler: () => {} });
  expect(consumer.health().status).toBe('pass');
});
