import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import type { Message, Topic } from '../src/index.ts';
import { Witness } from './driver/witness.ts';
import { bench } from './fixture.ts';

const longAgo = 1_000_000;

async function timesIn(topic: Topic): Promise<number[]> {
  const times: number[] = [];
  for await (const { timestamp } of topic.read()) times.push(timestamp);
  return times;
}

test('what is written again is kept from then on, and tells when it was published first', async ({
  servers: { QUORATE_KAFKA = '' },
}) => {
  await using place = await bench(QUORATE_KAFKA, { partitions: 1 });
  await using witness = new Witness([QUORATE_KAFKA]);
  const since = Date.now();
  const rides = place.open();
  await rides.publish({ key: 'a', value: 1, timestamp: longAgo });
  const seen: number[] = [];
  const handler = ({ timestamp }: Message): void => {
    seen.push(timestamp);
    throw new Error('the table is missing');
  };
  const retry = { attempts: 2, delay: 10, outOfOrder: true };
  const consumer = await rides.consume({ group: 'shop', retry, handler });
  await eventually('it is dead', () => consumer.stats().deadLetters === 1);
  await consumer.stop();
  const [later, dead] = [`${place.topic}.shop.later`, `${place.topic}.dead`];
  expect(await place.stream().inspection().redeliver(place.topic)).toBe(1);
  // By its own time retention takes a record.
  const written = async (topic: string): Promise<boolean[]> =>
    (await witness.log(topic)).filter(({ control }) => !control).map(({ timestamp }) => timestamp >= since);
  expect([await written(later), await written(dead), await written(place.topic)]).toEqual([
    [true],
    // Behind the letter stands how far they were sent again.
    [true, true],
    [false, true],
  ]);
  // As it was published, but for when: of its way nothing is left.
  const [, again] = await witness.log(place.topic);
  const names = again?.headers.map(([name]) => name);
  expect(names).toEqual(['content-type', 'quorate-id', 'quorate-published']);
  expect(seen).toEqual([longAgo, longAgo]);
  expect(await timesIn(place.stream().topic(dead))).toEqual([longAgo]);
  const letters: Message[] = [];
  const keep = (letter: Message): void => void letters.push(letter);
  await using reader = await place.stream().topic(dead).consume({ group: 'clerk', deadLetter: false, handler: keep });
  await eventually('it has read all', () => letters.length > 0 && reader.lag().messages === 0n);
  expect(letters.map((letter) => letter.timestamp)).toEqual([longAgo]);
  expect(await timesIn(rides)).toEqual([longAgo, longAgo]);
});

test('what waits to be tried again is kept for longer than it waits, whatever brokers do by default', async ({
  servers: { QUORATE_KAFKA },
}) => {
  await using place = await bench(QUORATE_KAFKA);
  const day = 86_400_000;
  const byAge = { 'cleanup.policy': 'delete', 'retention.bytes': '-1' };
  const table: [own: Record<string, string>, kept: number][] = [
    [{ 'retention.ms': String(day) }, 70 * day],
    [{ 'retention.ms': String(365 * day) }, 405 * day],
    [{ 'retention.ms': String(day), 'cleanup.policy': 'compact' }, -1],
    [{ 'retention.ms': '-1' }, -1],
  ];
  const stream = place.stream();
  const made = table.map(async ([settings, kept], index) => {
    const rides = stream.topic(`${place.topic}-${index}`, { settings });
    await rides.create();
    const retry = { delay: 40 * day, outOfOrder: true };
    const consumer = await rides.consume({ group: 'shop', retry, handler: () => {} });
    await consumer.stop();
    // As it was made: whatever differs would be an error.
    const wanted = { ...byAge, 'retention.ms': String(kept) };
    await stream.topic(`${rides.name}.shop.later`, { settings: wanted }).create();
    await stream.topic(`${rides.name}.dead`, { settings: { ...byAge, 'retention.ms': String(30 * day) } }).create();
  });
  await Promise.all(made);
});
