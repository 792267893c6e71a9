import { expect, test } from 'vitest';
import { checkRetry, delayAfter } from './retry.ts';

test('a delay is doubled for each failure, up to the longest, however many there are; chance takes up to half of it', () => {
  const retry = checkRetry({ delay: 100, maxDelay: 1_000 });
  const longest = [100, 200, 400, 800, 1_000, 1_000];
  for (const [index, failures] of [1, 2, 3, 4, 5, 5_000].entries()) {
    const most = longest[index] ?? 0;
    const delay = delayAfter(retry, failures);
    expect([failures, delay > most / 2, delay <= most]).toEqual([failures, true, true]);
  }
});
