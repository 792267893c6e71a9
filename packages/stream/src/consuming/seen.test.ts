import { expect, test } from 'vitest';
import { Seen } from './seen.ts';

test('the last ids are known, those before them are not', () => {
  const seen = new Seen(3);
  for (const id of ['a', 'b', 'c', 'd']) seen.add(id);
  expect(['a', 'b', 'c', 'd'].map((id) => seen.has(id))).toEqual([false, true, true, true]);
});

test('an id is worked on by one at a time', () => {
  const seen = new Seen(3);
  expect([seen.begin('a'), seen.begin('a'), seen.begin('b')]).toEqual([true, false, true]);
  seen.end('a');
  expect([seen.begin('a'), seen.has('a')]).toEqual([true, false]);
});
