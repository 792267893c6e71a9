import { expect, test } from 'vitest';
import { durationFlag } from './duration-flag.ts';

test.each([
  ['5', 5_000],
  ['0.2', 200],
  ['250ms', 250],
  ['1m30s', 90_000],
  ['24h', 86_400_000],
])('%s is %i milliseconds', (text, ms) => {
  expect(durationFlag(1)(text)).toBe(ms);
});

test.each(['0', '', 'long', '-1', '5 s', '25h', '1e3'])('%s is refused', (text) => {
  expect(() => durationFlag(1)(text)).toThrow(/^Expected seconds, or a time such as 500ms.*above 0/);
});

test('0 is a time where it may be', () => {
  expect(durationFlag(0)('0')).toBe(0);
});
