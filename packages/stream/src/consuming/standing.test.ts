import { eventually } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { Standing } from './standing.ts';

test('certain from when a request was sent, not from its answer, for as long as the session timeout', async () => {
  const changes: boolean[] = [];
  const standing = new Standing(150, (certain) => changes.push(certain));
  expect(standing.isCertain).toBe(false);
  // An answer that took longer than the session: the coordinator may have given us up meanwhile.
  standing.confirm(performance.now() - 160);
  expect(standing.isCertain).toBe(false);
  const sent = performance.now() - 100;
  standing.confirm(sent);
  expect(standing.isCertain).toBe(true);
  await eventually('it is told that it is not certain any more', () => changes.length === 2);
  expect(performance.now() - sent).toBeGreaterThanOrEqual(150);
  expect(changes).toEqual([true, false]);
  standing.stop();
});

test('an older word does not shorten a newer one', () => {
  const standing = new Standing(60_000, () => {});
  const now = performance.now();
  standing.confirm(now);
  standing.confirm(now - 59_999);
  expect(standing.isCertain).toBe(true);
  standing.stop();
});

test('a process that stood still knows before its timers do', () => {
  const changes: boolean[] = [];
  const standing = new Standing(30, (certain) => changes.push(certain));
  standing.confirm(performance.now());
  const until = performance.now() + 40;
  while (performance.now() < until);
  expect(standing.isCertain).toBe(false);
  expect(changes).toEqual([true, false]);
  standing.stop();
});

test('whether it was confirmed since is asked of when the request was sent', () => {
  const standing = new Standing(60_000, () => {});
  const sent = performance.now();
  standing.confirm(sent);
  expect([standing.isCertainSince(sent - 1), standing.isCertainSince(sent + 1)]).toEqual([true, false]);
  standing.stop();
});
