import { expect, test } from 'vitest';
import { lastLine, sum } from './tally.ts';

test('the last line counts, and speaks of skipped tests only when there are some', () => {
  const total = sum([
    { passed: 7, failed: 0, skipped: 0 },
    { passed: 100, failed: 1, skipped: 0 },
  ]);
  expect(lastLine(total)).toBe('107 passed, 1 failed');
  expect(lastLine({ ...total, skipped: 2 })).toBe('107 passed, 1 failed, 2 skipped');
});
