import { expect, test } from 'vitest';
import { circles } from './circles.ts';

test('finds every circle, and none where arrows only meet again', () => {
  const imports = {
    a: ['b', 'c'],
    b: ['c', 'd'],
    c: ['d'],
    d: [],
    e: ['f'],
    f: ['g'],
    g: ['e', 'a'],
    h: ['i'],
    i: ['h'],
  };
  expect(circles(new Map(Object.entries(imports)))).toEqual([
    ['e', 'f', 'g'],
    ['h', 'i'],
  ]);
});
