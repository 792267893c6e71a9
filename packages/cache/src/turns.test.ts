import { expect, test } from 'vitest';
import { Allowance } from './allowance.ts';
import { Full, Turns } from './turns.ts';

const keys = ['zone'];
const allowance = (): Allowance => new Allowance(60_000, 'late');

test('so many at a time, so many in line, in their order', async () => {
  const turns = new Turns(2, 2);
  const taken: number[] = [];
  const take = (number: number): Promise<unknown> => turns.take(keys, allowance()).then(() => taken.push(number));
  const all = [1, 2, 3, 4].map(take);
  await expect(turns.take(keys, allowance())).rejects.toBeInstanceOf(Full);
  await Promise.all(all.slice(0, 2));
  expect([taken, turns.idle]).toEqual([[1, 2], false]);
  turns.giveBack();
  await all[2];
  turns.giveBack();
  await all[3];
  expect(taken).toEqual([1, 2, 3, 4]);
  turns.giveBack();
  turns.giveBack();
  expect(turns.idle).toBe(true);
});

test('who gives up in line leaves his place, and no turn is lost, not even one that comes at the same moment', async () => {
  const turns = new Turns(1, 1);
  await turns.take(keys, allowance());
  const impatient = allowance();
  const waiting = turns.take(keys, impatient);
  impatient.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  const late = allowance();
  const next = turns.take(keys, late);
  turns.giveBack();
  late.abort(new Error('too late'));
  await expect(next).rejects.toThrow('too late');
  expect(turns.idle).toBe(true);
  await turns.take(keys, allowance());
});

test('without a line there is no waiting', async () => {
  const turns = new Turns(1, 0);
  await turns.take(keys, allowance());
  await expect(turns.take(keys, allowance())).rejects.toBeInstanceOf(Full);
});

test('what those who have a turn wait for goes at once, in line or not, and then there are again so many at a time', async () => {
  const turns = new Turns(1, 2);
  await turns.take(keys, allowance());
  const taken: string[] = [];
  const take = (...its: string[]): Promise<unknown> => turns.take(its, allowance()).then(() => taken.push(its.join()));
  const ordinary = take('page');
  const waiting = take('part', 'other part');
  const ends = [turns.hurry(['part']), turns.hurry(['part', 'late part'])];
  await waiting;
  await take('late part');
  for (const end of ends) end();
  await expect(Promise.all([take('part'), take('late part')])).rejects.toBeInstanceOf(Full);
  expect(taken).toEqual(['part,other part', 'late part']);
  // Of the three who have one, two are beyond the number.
  turns.giveBack();
  turns.giveBack();
  await new Promise((resolve) => setImmediate(resolve));
  expect(taken.length).toBe(2);
  turns.giveBack();
  await ordinary;
  turns.giveBack();
  turns.giveBack();
  expect(turns.idle).toBe(true);
});
