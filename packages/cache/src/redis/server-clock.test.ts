import { expect, test } from 'vitest';
import { ServerClock } from './server-clock.ts';

test('a reading that took long moves it only as far as it proves', () => {
  const clock = new ServerClock();
  expect(clock.known).toBe(false);
  // Ahead of ours by 1,000: half a millisecond there, half a millisecond back.
  clock.read({ sent: 10, received: 11, time: 1_010.5 });
  expect(clock.at(100)).toBe(1_100);
  // This process has stood still for a second before it has seen the answer, and then before the request has left.
  clock.read({ sent: 500, received: 1_500, time: 1_500.5 });
  clock.read({ sent: 2_000, received: 3_000, time: 3_999.5 });
  expect(clock.at(100)).toBe(1_100);
  // A server whose clock reads otherwise has taken over, or has set its clock.
  clock.read({ sent: 5_000, received: 5_002, time: 5_501 });
  expect(clock.at(100)).toBe(600);
  clock.read({ sent: 6_000, received: 7_000, time: 9_000 });
  clock.read({ sent: 8_000, received: 8_002, time: 10_501 });
  expect(clock.at(100)).toBe(2_600);
});
