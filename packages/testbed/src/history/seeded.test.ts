import { expect, test } from 'vitest';
import { seeded } from './seeded.ts';

function taken(seed: number, count = 5): number[] {
  const chance = seeded(seed);
  return Array.from({ length: count }, () => chance.next());
}

test('the same seed gives the same numbers, another seed others', () => {
  expect(taken(7)).toEqual(taken(7));
  expect(taken(7)).not.toEqual(taken(8));
  // Written down, so that a schedule printed today can be replayed by a later version.
  expect(
    Array.from(
      { length: 4 },
      (
        (chance) => () =>
          chance.integer(0, 99)
      )(seeded(7)),
    ),
  ).toEqual([3, 81, 80, 72]);
});

test('seeds far apart, negative and beyond 32 bits all differ', () => {
  const firsts = [0, 1, -1, 2 ** 32, 2 ** 32 + 1, 2 ** 40, 2 ** 52].map((seed) => taken(seed, 3).join());
  expect(new Set(firsts).size).toBe(firsts.length);
});

test('is spread evenly: each tenth of the range gets about a tenth, and each pair of them a hundredth', () => {
  const chance = seeded(1);
  const pairs = new Map<number, number>();
  let last = chance.integer(0, 9);
  for (let count = 0; count < 100_000; count += 1) {
    const next = chance.integer(0, 9);
    pairs.set(last * 10 + next, (pairs.get(last * 10 + next) ?? 0) + 1);
    last = next;
  }
  for (const count of pairs.values()) expect(Math.abs(count - 1000)).toBeLessThan(200);
  expect(pairs.size).toBe(100);
});

test('a fork is a source of its own', () => {
  const one = seeded(7);
  const two = seeded(7);
  two.next();
  expect(one.fork('links').next()).toBe(two.fork('links').next());
  expect(one.fork('links').next()).not.toBe(one.fork('clients').next());
});

test('refuses what it cannot repeat', () => {
  expect(() => seeded(0.5)).toThrow('seed: expected a whole number');
  expect(() => seeded(1).pick([])).toThrow('items: expected');
  expect(() => seeded(1).integer(2, 1)).toThrow('min, max: expected');
});
