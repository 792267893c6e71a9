import { randomBytes } from 'node:crypto';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { Kafka, logLevel } from 'kafkajs';
import { expect } from 'vitest';
import { Stream, versions } from '../src/index.ts';
import { bench } from './fixture.ts';

/** Passes objects that have these as numbers, with whatever else they have. */
function numbers(...names: readonly string[]) {
  const validate = (value: unknown) => {
    const wrong = names.filter((name) => typeof (value as Record<string, unknown> | null)?.[name] !== 'number');
    if (wrong.length > 0) return { issues: wrong.map((name) => ({ message: 'a number was expected', path: [name] })) };
    return { value: value as Record<string, number> };
  };
  return { '~standard': { version: 1, vendor: 'test', validate } } as const;
}

const first = numbers('fare');
const second = versions(2, numbers('fare', 'tip'), {
  1: {
    schema: first,
    upgrade: (old: Record<string, number>) => {
      if (old.fare === 13) throw new Error('no such fare');
      return { ...old, tip: 0 };
    },
  },
});

test('a reader that knows fewer fields and one that knows more read what both kinds of writers write', async ({
  servers: { QUORATE_KAFKA },
}) => {
  await using stream = new Stream({ brokers: QUORATE_KAFKA ?? '' });
  const name = `evolution-${randomBytes(6).toString('hex')}`;
  const [old, now] = [stream.topic(name, { value: first }), stream.topic(name, { value: second })];
  await old.create();
  await old.publish({ key: 'a', value: { fare: 1 } });
  await now.publish({ key: 'a', value: { fare: 2, tip: 3 } });
  await old.publish({ key: 'a', value: { fare: 4 } });
  const seen: Record<string, unknown[]> = { old: [], now: [] };
  await using _old = await old.consume({ group: 'old', handler: ({ value }) => void seen.old?.push(value) });
  await using _now = await now.consume({ group: 'now', handler: ({ value }) => void seen.now?.push(value) });
  await eventually('both have read all', () => Object.values(seen).every(({ length }) => length === 3));
  expect(seen).toEqual({
    old: [{ fare: 1 }, { fare: 2, tip: 3 }, { fare: 4 }],
    now: [
      { fare: 1, tip: 0 },
      { fare: 2, tip: 3 },
      { fare: 4, tip: 0 },
    ],
  });
});

const good = '{"fare":1,"tip":1}';
/** What others can write: the reason, the value, the headers and the key. */
const poison: readonly (readonly [string, Buffer | null, Record<string, string>?, Buffer?])[] = [
  ['no-value', null],
  ['unreadable', Buffer.alloc(0)],
  ['unreadable', Buffer.from('{"fare":')],
  ['unreadable', Buffer.from([0x22, 0xff, 0x22])],
  ['invalid-value', Buffer.from('null')],
  ['invalid-value', Buffer.from('{"fare":"1"}'), { 'quorate-schema': '2' }],
  ['invalid-value', Buffer.from('{"fare":13}'), { 'quorate-schema': '1' }],
  ['invalid-header', Buffer.from(good), { 'quorate-schema': 'two' }],
  ['invalid-header', Buffer.from(good), { 'quorate-fence': '-1' }],
  ['content-type', Buffer.from(good), { 'content-type': 'text/csv' }],
  ['invalid-key', Buffer.from(good), {}, Buffer.from([0xff])],
];

test('poison of every kind is a dead letter with its reason, and what stands behind it is handled', async ({
  servers: { QUORATE_KAFKA },
}) => {
  await using place = await bench(QUORATE_KAFKA, { partitions: 1 });
  const stream = place.stream();
  const client = new Kafka({ brokers: [QUORATE_KAFKA ?? ''], logLevel: logLevel.NOTHING });
  const producer = client.producer();
  await producer.connect();
  const messages = poison.flatMap(([, value, headers = {}, key = Buffer.from('a')]) => [
    { key, value, headers },
    { key: Buffer.from('a'), value: Buffer.from(good) },
  ]);
  await producer.send({ topic: place.topic, messages });
  await producer.disconnect();
  await using consumer = await stream.topic(place.topic, { value: second }).consume({ group: 'g', handler: () => {} });
  await eventually('all is done with', () => consumer.lag().messages === 0n && consumer.stats().handled > 0);
  expect(consumer.stats()).toMatchObject({ handled: poison.length, deadLetters: poison.length, failures: 0 });
  const letters = await stream.inspection().deadLetters(place.topic);
  const reasons = letters.toSorted((a, b) => Number(a.origin.offset - b.origin.offset)).map(({ reason }) => reason);
  expect(reasons).toEqual(poison.map(([reason]) => reason));
});
