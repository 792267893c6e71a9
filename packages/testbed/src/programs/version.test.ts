import { expect, test } from 'vitest';
import { compareVersions } from './version.ts';

test.each([
  ['1.9', '1.10', -1],
  ['17.0.15', '17', 1],
  ['17', '17.0.0', 0],
  ['3.9.4', '3.9.4', 0],
  ['10', '9.9.9', 1],
])('%s against %s', (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
});
