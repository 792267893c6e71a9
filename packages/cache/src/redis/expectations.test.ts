import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { eventually } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { Expectations } from './expectations.ts';

const standStill = (milliseconds: number): void => {
  const begin = performance.now();
  while (performance.now() - begin < milliseconds);
};

test('what does not come in time is overdue, one after the other, and nothing is after its end', async () => {
  const expectations = new Expectations(20);
  const overdue: string[] = [];
  const expectOne = (name: string) => expectations.expect(() => overdue.push(name));
  expectOne('first');
  expectOne('answered').end();
  await eventually('it is overdue', () => overdue.length === 1);
  expectOne('second');
  await eventually('it is overdue', () => overdue.length === 2);
  expect(overdue).toEqual(['first', 'second']);
});

test('an answer that came while the process stood still is in time', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[far]] = await Promise.all([once(server, 'connection'), once(near, 'connect')]);
  const expectations = new Expectations(20);
  const { promise, resolve } = Promise.withResolvers<string>();
  const expectation = expectations.expect(() => resolve('overdue'));
  near.on('data', () => {
    expectation.end();
    resolve('in time');
  });
  far.write('answer');
  standStill(60);
  expect(await promise).toBe('in time');
  near.destroy();
  server.close();
});

test('after its end all that was waited for is over, and so is what comes later', async () => {
  const expectations = new Expectations(20);
  const overdue: string[] = [];
  const expectOne = (name: string) => expectations.expect(() => overdue.push(name));
  expectOne('before');
  expectations.close();
  expect(overdue).toEqual(['before']);
  expectOne('after');
  await eventually('it is overdue', () => overdue.length === 2);
});
