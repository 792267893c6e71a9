import { expect, test } from 'vitest';
import { isAtLeast } from './since.ts';

test.each([
  ['3.6.0', '3.6', true],
  ['3.6', '3.6', true],
  ['3.10.1', '3.6', true],
  ['4.0.0', '3.6', true],
  ['3.5.10', '3.6', false],
  ['2.9', '3.6', false],
])('%s is at least %s: %s', (version, needed, expected) => {
  expect(isAtLeast(version, needed)).toBe(expected);
});
