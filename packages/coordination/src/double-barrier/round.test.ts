import type { Stat } from '@quorate/zookeeper';
import { expect, test } from 'vitest';
import { readRound, remainingOf, roundData } from './round.ts';

const stat = { czxid: 7n } as Stat;

test('a round is read as it was written', () => {
  const members = ['b', 'a'];
  expect(readRound({ data: Buffer.from(roundData(members)), stat })).toEqual({ id: 7n, members });
});

test.each(['', '10.0.0.7', '{', 'null', '7', '{"members":[1]}', '{"members":"a"}'])(
  'what another client has written, such as %j, says nothing of members',
  (text) => {
    expect(readRound({ data: Buffer.from(text), stat })).toEqual({ id: 7n, members: undefined });
  },
);

test('who remains is who was let in and is still there, by name; everybody, where it is not known who was let in', () => {
  const there = ['c', 'late', 'a'];
  expect(remainingOf({ id: 1n, members: ['a', 'b', 'c'] }, there)).toEqual(['a', 'c']);
  expect(remainingOf({ id: 1n, members: undefined }, there)).toEqual(['a', 'c', 'late']);
});
