import { expect, test } from 'vitest';
import { byArrival, contenderOf } from './contender.ts';

const marks = ['lock-'];

test.each([
  ['_c_8f6d-lock-0000000012', 12],
  ['45c1ae9668984d00ad01a8f50a774454-lock-0000000005', 5],
  ['lock-0000000000', 0],
  ['_c_8f6d-lock-2147483647', 2147483647],
  ['_c_8f6d-lock--2147483648', -2147483648],
  ['_c_8f6d-lock--000000001', -1],
])('%s is a contender, whoever made it', (name, sequence) => {
  expect(contenderOf(name, marks)).toEqual({ name, mark: 'lock-', sequence });
});

test.each([
  'lock',
  'lock-',
  'lock-12',
  'lock-000000001',
  '_c_8f6d-latch-0000000012',
  '45c1ae96__lock__0000000005',
  'lock-0000000012-notes',
])('%s is not', (name) => {
  expect(contenderOf(name, marks)).toBeUndefined();
});

const numbered = (sequence: number): { name: string; mark: string; sequence: number } => ({
  name: '',
  mark: '',
  sequence,
});

test('the order is that of the numbers, not of the names', () => {
  const names = ['b-lock-0000000002', 'a-lock-0000000010', 'c-lock-0000000001'];
  const sorted = names.flatMap((name) => contenderOf(name, marks) ?? []).sort(byArrival);
  expect(sorted.map(({ sequence }) => sequence)).toEqual([1, 2, 10]);
});

test('after the largest number comes the smallest', () => {
  const sorted = [-2147483647, 2147483646, -2147483648, 2147483647].map(numbered).sort(byArrival);
  expect(sorted.map(({ sequence }) => sequence)).toEqual([2147483646, 2147483647, -2147483648, -2147483647]);
});

test('around zero nothing special happens', () => {
  const sorted = [1, -1, 0].map(numbered).sort(byArrival);
  expect(sorted.map(({ sequence }) => sequence)).toEqual([-1, 0, 1]);
});
