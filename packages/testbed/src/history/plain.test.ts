import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromJson, type Plain, plain, textOf, toJson } from './plain.ts';

const anything: fc.Arbitrary<Plain> = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.bigInt(),
    fc.string(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$bigint', '$$bigint', '$number', '__proto__')), tie('value'), {
      maxKeys: 4,
    }),
  ),
})).value;

test('every plain value survives JSON: bigints, NaN, minus zero and fields named like our own marks', () => {
  fc.assert(
    fc.property(anything, (value) => {
      const copy = plain(value);
      expect(fromJson(JSON.parse(JSON.stringify(toJson(copy))))).toEqual(copy);
    }),
    { seed: 5, numRuns: 500 },
  );
});

test('changing the original later does not change what was recorded', () => {
  const original = { list: [1, { two: 2n }] };
  const copy = plain(original);
  original.list.push(3);
  expect(copy).toEqual({ list: [1, { two: 2n }] });
});

test.each([
  [{ input: { when: new Date(0) } }, 'value.input.when: expected plain data'],
  [[1, () => 1], 'value[1]: expected plain data'],
  [{ data: Buffer.from('x') }, 'value.data: expected plain data'],
  [Symbol('s'), 'value: expected plain data'],
])('refuses what would not survive, by its path: %#', (value, message) => {
  expect(() => plain(value)).toThrow(message);
});

test('refuses data that contains itself', () => {
  const round: Record<string, unknown> = {};
  round.self = round;
  expect(() => plain(round)).toThrow('levels deep');
});

test('equal values have one text, different values have two', () => {
  expect(textOf({ a: 1, b: [2n, null] })).toBe(textOf({ b: [2n, null], a: 1 }));
  const texts = [1, 1n, '1', '1n', null, 'null', [1], '[1]', { a: 1 }, [], {}].map((value) => textOf(value));
  expect(new Set(texts).size).toBe(texts.length);
});
