import { expect, test, vi } from 'vitest';
import { op } from '../protocol/op-codes.ts';
import { Liveness } from './liveness.ts';
import { Window } from './window.ts';

function window(timeout = 8_000): Window {
  const liveness = new Liveness();
  liveness.established(timeout, 0, true);
  return new Window(liveness);
}

/** Sends as many as there is room for, at once. */
function fill(it: Window, code: number, bytes = 30): number {
  let sent = 0;
  while (sent < 2_000 && it.hasRoom(performance.now())) {
    it.sent(code, bytes);
    sent += 1;
  }
  return sent;
}

/** One after the other, each with an answer of so many bytes. */
function answered(it: Window, count: number, code: number, answer: number, took: number, bytes = 30, from = 0): void {
  for (let at = 0; at < count; at += 1) it.answered(code, bytes, answer, from + at, from + at + took);
}

/** Fills it and has it answered quickly, again and again, until that makes no difference any more. */
function grown(it: Window, code: number, answer: number, bytes = 30): number {
  let size = fill(it, code, bytes);
  for (let round = 0; round < 20; round += 1) {
    answered(it, size, code, answer, 10, bytes);
    size = fill(it, code, bytes);
  }
  return size;
}

test('reads go two by two until one was answered, for nobody knows how large their answers are', () => {
  const it = window();
  expect(fill(it, op.get)).toBe(2);
  answered(it, 1, op.get, 200, 10);
  expect(fill(it, op.get)).toBeGreaterThan(3);
  expect(fill(window(), op.exists)).toBeGreaterThan(200);
  expect(fill(window(), op.set, 100_000)).toBe(1);
});

test('small answers that come quickly open it: to 1,000 requests, and to a tenth of that where answers may be large', () => {
  expect(grown(window(), op.exists, 80)).toBe(1_000);
  expect(grown(window(), op.get, 200)).toBe(127);
});

test('large answers fill it: two megabytes are under way, and one answer more', () => {
  expect(grown(window(), op.get, 100_000)).toBe(21);
  expect(grown(window(), op.children, 1_000_000)).toBe(3);
});

test('one large answer is remembered, for the next may be another', () => {
  const mixed = window();
  const many = grown(mixed, op.get, 200);
  answered(mixed, 1, op.get, 500_000, 10);
  answered(mixed, 50, op.get, 200, 10);
  answered(mixed, many - 51, op.get, 200, 10);
  const few = fill(mixed, op.get);
  expect(few).toBeLessThan(many / 4);
  answered(mixed, few, op.get, 200, 10);
  expect(grown(mixed, op.get, 200)).toBe(many);
});

test('answers that wait for others halve it, once for all that were sent before', () => {
  const slow = window();
  const size = grown(slow, op.set, 80, 10_000);
  expect(size).toBeGreaterThan(200);
  // All of these were sent before the first late answer came.
  answered(slow, size, op.set, 80, 1_200, 10_000);
  const half = fill(slow, op.set, 10_000);
  expect(Math.abs(half - size / 2)).toBeLessThan(2);
  answered(slow, half, op.set, 80, 1_200, 10_000, 5_000);
  expect(Math.abs(fill(slow, op.set, 10_000) - size / 4)).toBeLessThan(2);
  slow.reset();
  expect(fill(slow, op.set, 10_000)).toBe(fill(window(), op.set, 10_000));
});

test('what takes long on an idle connection is far away, not in a queue', () => {
  const far = window();
  let size = fill(far, op.exists);
  for (let round = 0; round < 20; round += 1) {
    answered(far, size, op.exists, 80, 1_500);
    size = fill(far, op.exists);
  }
  expect(size).toBe(1_000);
});

test('a window that is not used does not grow', () => {
  const idle = window();
  for (let at = 0; at < 10_000; at += 1) {
    idle.sent(op.exists, 30);
    idle.answered(op.exists, 30, 80, at, at + 1);
  }
  expect(fill(idle, op.exists)).toBe(fill(window(), op.exists));
});

test('is closed while the oldest request waits for too long, and open when there is none', () => {
  vi.useFakeTimers({ now: 0, toFake: ['performance'] });
  try {
    const waiting = window();
    const sentAt = performance.now();
    waiting.sent(op.exists, 30);
    vi.advanceTimersByTime(999);
    expect(waiting.hasRoom(sentAt)).toBe(true);
    vi.advanceTimersByTime(1);
    expect(waiting.hasRoom(sentAt)).toBe(false);
    expect(waiting.hasRoom(undefined)).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});
