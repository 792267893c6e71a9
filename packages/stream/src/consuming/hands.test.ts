import { expect, test } from 'vitest';
import { Hands } from './hands.ts';

test('never more at a time than there are hands, and in the order of the line', async () => {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const hands = new Hands<number>(2, (task) => {
    begun.push(task);
    return new Promise((resolve) => ends.push(resolve));
  });
  for (let task = 0; task < 5; task += 1) hands.add(task);
  expect(begun).toEqual([0, 1]);
  ends[1]?.();
  await Promise.resolve();
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  expect(hands.busy).toBe(2);
});

test('while it is held nothing begins; what ends at once takes no hand', () => {
  const begun: number[] = [];
  const hands = new Hands<number>(1, (task) => {
    begun.push(task);
    return undefined;
  });
  hands.hold();
  for (let task = 0; task < 2_000; task += 1) hands.add(task);
  expect(begun).toEqual([]);
  hands.resume();
  expect(begun).toHaveLength(2_000);
  expect(hands.busy).toBe(0);
});

test('work that adds more of itself does not grow the stack', () => {
  let left = 200_000;
  const hands: Hands<number> = new Hands(1, (task) => {
    left -= 1;
    if (left > 0) hands.add(task);
    return undefined;
  });
  hands.add(1);
  expect(left).toBe(0);
});
