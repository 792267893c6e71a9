import { expect, test } from 'vitest';
import { Allowance } from './allowance.ts';
import { Full, Turns } from './turns.ts';

const allowance = (): Allowance => new Allowance(60_000, 'late');

test('so many at a time, so many in line, in their order', async () => {
  const turns = new Turns(2, 2);
  const taken: number[] = [];
  const take = (number: number): Promise<unknown> => turns.take(allowance()).then(() => taken.push(number));
  const all = [1, 2, 3, 4].map(take);
  await expect(turns.take(allowance())).rejects.toBeInstanceOf(Full);
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
  await turns.take(allowance());
  const impatient = allowance();
  const waiting = turns.take(impatient);
  impatient.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  const late = allowance();
  const next = turns.take(late);
  turns.giveBack();
  late.abort(new Error('too late'));
  await expect(next).rejects.toThrow('too late');
  expect(turns.idle).toBe(true);
  await turns.take(allowance());
});

test('without a line there is no waiting', async () => {
  const turns = new Turns(1, 0);
  await turns.take(allowance());
  await expect(turns.take(allowance())).rejects.toBeInstanceOf(Full);
});
