import { expect, test, vi } from 'vitest';
import { Liveness } from './liveness.ts';
import { Window } from './window.ts';

function window(timeout: number): Window {
  const liveness = new Liveness();
  liveness.established(timeout, 0, true);
  return new Window(liveness);
}

/** How many requests may be under way, when the oldest has just been sent. */
function size(of: Window): number {
  let underWay = 0;
  while (underWay < 2_000 && of.hasRoom(underWay, performance.now())) underWay += 1;
  return underWay;
}

test('grows while answers come quickly, and halves once when they are late', () => {
  const slow = window(8_000);
  const first = size(slow);
  for (let answers = 0; answers < 5_000; answers += 1) slow.answered(100, 110);
  expect(size(slow)).toBe(1_000);
  // All of these were sent before the first late answer came.
  for (let sentAt = 0; sentAt < 1_000; sentAt += 10) slow.answered(sentAt, 1_200 + sentAt);
  expect(size(slow)).toBe(500);
  slow.answered(1_300, 2_500);
  expect(size(slow)).toBe(250);
  for (let at = 3_000; at < 100_000; at += 2_000) slow.answered(at, at + 1_500);
  expect(size(slow)).toBe(4);
  slow.reset();
  expect(size(slow)).toBe(first);
});

test('neither grows nor shrinks while answers take as long as they may', () => {
  const steady = window(8_000);
  const first = size(steady);
  for (let at = 0; at < 100_000; at += 100) steady.answered(at, at + 700);
  expect(size(steady)).toBe(first);
});

test('is closed while the oldest request waits for too long, but for a few', () => {
  vi.useFakeTimers({ now: 0, toFake: ['performance'] });
  try {
    const waiting = window(8_000);
    const sentAt = performance.now();
    vi.advanceTimersByTime(999);
    expect(waiting.hasRoom(10, sentAt)).toBe(true);
    vi.advanceTimersByTime(1);
    expect(waiting.hasRoom(10, sentAt)).toBe(false);
    expect(waiting.hasRoom(3, sentAt)).toBe(true);
    expect(waiting.hasRoom(0, undefined)).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});
