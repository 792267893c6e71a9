import { expect, test } from 'vitest';
import { portionsOf } from './portions.ts';

const output = (partition: number, value: string) => ({
  topic: 't',
  partition,
  record: { key: null, value: Buffer.from(value), headers: [], timestamp: 0 },
});

test('of each partition there is so much in a portion, in order; what is larger goes alone', () => {
  const outputs = [
    output(0, 'a'.repeat(10)),
    output(1, 'b'),
    output(0, 'c'.repeat(10)),
    output(0, 'd'.repeat(300)),
    output(0, 'e'),
    output(1, 'f'),
  ];
  const said = portionsOf(outputs, 80).map((batches) =>
    batches.map(({ partition, records }) => [partition, records.map(({ value }) => String(value)[0]).join('')]),
  );
  expect(said).toEqual([
    [
      [0, 'ac'],
      [1, 'bf'],
    ],
    [[0, 'd']],
    [[0, 'e']],
  ]);
  expect(portionsOf([], 80)).toEqual([]);
});
