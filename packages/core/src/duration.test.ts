import { expect, expectTypeOf, test } from 'vitest';
import { type Duration, duration } from './duration.ts';

test.each([
  [0, 0],
  [1500, 1500],
  [0.2, 1],
  ['0s', 0],
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5s', 1_500],
  ['1.1s', 1_100],
  ['2.3m', 138_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['7d', 604_800_000],
  ['1h30m', 5_400_000],
  ['1m30s', 90_000],
  ['1s500ms', 1_500],
] as const)('%j is %i milliseconds', (given, expected) => {
  expect(duration(given)).toBe(expected);
});

test.each([
  '5 minutes',
  '5',
  'm',
  '',
  '-5m',
  '+5m',
  '.5s',
  '1e3s',
  '5M',
  ' 5s',
  '5s ',
  '1h 30m',
  '١s',
  `${'1s'.repeat(40)}`,
  '99999999999999999d',
  -1,
  Number.NaN,
  Infinity,
  null,
  undefined,
  {},
  5n,
  true,
  new Date(0),
])('%o is refused, by name', (given) => {
  expect(() => duration(given as never, { name: 'stale' })).toThrow(
    expect.objectContaining({ code: 'invalid-argument', argument: 'stale' }),
  );
  expect(() => duration(given as never)).toThrow(/^duration: expected milliseconds, or text such as "250ms"/);
});

test('what is beyond a limit is refused, and the limit is named', () => {
  const limits = { name: 'lease', least: 100, most: 60_000 };
  expect([duration('100ms', limits), duration('1m', limits)]).toEqual([100, 60_000]);
  expect(() => duration('50ms', limits)).toThrow(/^lease: expected .*, at least 100 ms, at most 60000 ms, got '50ms'$/);
  expect(() => duration('61s', limits)).toThrow('at most 60000 ms');
});

test('a spelling mistake is one for the compiler too', () => {
  expectTypeOf<'1h30m'>().toExtend<Duration>();
  expectTypeOf<'5m' | 250>().toExtend<Duration>();
  expectTypeOf<'5 minutes'>().not.toExtend<Duration>();
  expectTypeOf<'5'>().not.toExtend<Duration>();
});
