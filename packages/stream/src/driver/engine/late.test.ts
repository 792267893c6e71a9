import { eventually } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { whenLate } from './late.ts';

test('an answer is late when it was at two looks: it may lie there unread at the first', async () => {
  let late = 0;
  const looking = whenLate(20, () => {
    late += 1;
  });
  const until = performance.now() + 60;
  while (performance.now() < until);
  // What the socket has comes after the timers.
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  await new Promise<void>((resolve) => setImmediate(resolve));
  looking[Symbol.dispose]();
  expect(late).toBe(0);
  using _ = whenLate(20, () => {
    late += 1;
  });
  await eventually('it is late', () => late === 1);
});

test('what is over in time is never late', async () => {
  let late = 0;
  whenLate(10, () => {
    late += 1;
  })[Symbol.dispose]();
  using _ = whenLate(30, () => {
    late += 10;
  });
  await eventually('the other one is', () => late >= 10);
  expect(late).toBe(10);
});
