import { expect, test } from 'vitest';
import { shares } from './shares.ts';

const counts = (members: Record<string, readonly string[]>, topics: Record<string, number>): Record<string, string[]> =>
  Object.fromEntries(
    [...shares(new Map(Object.entries(members)), new Map(Object.entries(topics)))].map(([member, share]) => [
      member,
      share.map(({ topic, partition }) => `${topic}${partition}`),
    ]),
  );

test('each partition is of one member, and nobody has two more than another', () => {
  expect(counts({ b: ['t'], a: ['t'], c: ['t'] }, { t: 7 })).toEqual({
    a: ['t0', 't3', 't6'],
    b: ['t1', 't4'],
    c: ['t2', 't5'],
  });
});

test('many topics of one partition are shared as well', () => {
  const share = counts({ a: ['x', 'y', 'z'], b: ['x', 'y', 'z'] }, { x: 1, y: 1, z: 1 });
  expect(share).toEqual({ a: ['x0', 'z0'], b: ['y0'] });
});

test('a member gets only what it asks for, and one without a partition has an empty share', () => {
  expect(counts({ a: ['x'], b: ['y'], c: ['none'] }, { x: 2, y: 1, none: 0 })).toEqual({
    a: ['x0', 'x1'],
    b: ['y0'],
    c: [],
  });
});
