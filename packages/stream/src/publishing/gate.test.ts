import { expect, test } from 'vitest';
import { Gate } from './gate.ts';

test('all go through in the order in which they came, also those who come when the others are on their way', async () => {
  let thing: string | undefined;
  const { promise, resolve } = Promise.withResolvers<string>();
  const gate = new Gate(
    () => thing,
    () => promise,
  );
  const through: string[] = [];
  const fail = (error: unknown): void => void through.push(String(error));
  gate.pass(() => through.push('first'), fail);
  gate.pass(() => through.push('second'), fail);
  // It is there before those who wait have been told.
  thing = 'there';
  gate.pass(() => through.push('third'), fail);
  expect(through).toEqual([]);
  resolve('there');
  await promise;
  await Promise.resolve();
  gate.pass(() => through.push('fourth'), fail);
  expect(through).toEqual(['first', 'second', 'third', 'fourth']);
});

test('when it cannot be had, all who wait are told, and the next one tries again', async () => {
  let tries = 0;
  const gate = new Gate<string>(
    () => undefined,
    async () => {
      tries += 1;
      if (tries === 1) throw new Error('no broker');
      return 'there';
    },
  );
  const told = (): Promise<string> => new Promise((resolve, reject) => gate.pass(resolve, reject));
  const both = await Promise.allSettled([told(), told()]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await told()).toBe('there');
  expect(tries).toBe(2);
});
