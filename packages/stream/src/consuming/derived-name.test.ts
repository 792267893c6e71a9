import { expect, test } from 'vitest';
import { deadTopicOf } from './dead-letters.ts';
import { fencesIdOf, transactionalIdOf } from './derived-name.ts';
import { fenceTopicOf } from './fences.ts';
import { laterTopicOf } from './later.ts';

const words = ['a', '1', 'later', 'fences', 'fences-1', ''];
const names = words.flatMap((one) => [one, ...words.flatMap((two) => [`${one}.${two}`, `${one}.${two}.a`])]);
const pairs = names.flatMap((topic) => names.map((group) => [topic, group] as const));

test('no two pairs of a topic and a group have a name in common, whatever dots they have', () => {
  const topics = [
    ...pairs.map(([topic, group]) => laterTopicOf(topic, group)),
    ...pairs.map(([topic, group]) => fenceTopicOf(topic, group)),
    ...names.map(deadTopicOf),
  ];
  expect(new Set(topics).size).toBe(topics.length);
  const ids = pairs.flatMap(([topic, group]) =>
    [0, 1].flatMap((partition) => [
      transactionalIdOf(group, { topic, partition }),
      fencesIdOf({ topic: fenceTopicOf(topic, group), partition }),
    ]),
  );
  expect(new Set(ids).size).toBe(ids.length);
});

test('where the group has no dots its names are plain', () => {
  expect(laterTopicOf('taxi.rides', 'meter')).toBe('taxi.rides.meter.later');
  expect(laterTopicOf('taxi', 'rides.meter')).toBe('taxi.rides.meter.later-1');
  expect(fenceTopicOf('taxi.rides', 'meter')).toBe('taxi.rides.meter.fences');
  expect(fenceTopicOf('taxi', 'rides.meter')).toBe('taxi.rides.meter.fences-1');
  expect(transactionalIdOf('meter', { topic: 'taxi.rides', partition: 3 })).toBe('meter.taxi.rides.3');
  expect(transactionalIdOf('taxi.meter', { topic: 'rides', partition: 3 })).toBe('taxi.meter.rides.3-1');
});
