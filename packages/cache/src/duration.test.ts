import { expect, test } from 'vitest';
import { checkDuration } from './duration.ts';

test.each([
  [0, 0],
  [1500, 1500],
  [0.2, 1],
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5s', 1_500],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['365d', 31_536_000_000],
])('%j is %i milliseconds', (given, expected) => {
  expect(checkDuration('ttl', given)).toBe(expected);
});

test.each(['5 minutes', '5', 'm', '', '-5m', '1e3s', '366d', -1, Number.NaN, Infinity, null, undefined, {}, 5n, true])(
  '%o is refused, by the name of the option',
  (given) => {
    expect(() => checkDuration('stale', given)).toThrow(/^stale: expected milliseconds or a number with a unit/);
  },
);

test('what is below the least is refused', () => {
  expect(() => checkDuration('lease', '50ms', 100)).toThrow('lease: expected');
});
