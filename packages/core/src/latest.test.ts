import { expect, test, vi } from 'vitest';
import { Latest } from './latest.ts';

test('a slow reader gets the newest value only', async () => {
  const latest = new Latest<number>();
  latest.push(1);
  latest.push(2);
  expect(await latest.next()).toEqual({ done: false, value: 2 });
});

test('a waiting reader gets each value', async () => {
  const latest = new Latest<number>();
  const first = latest.next();
  latest.push(1);
  latest.push(2);
  expect(await first).toEqual({ done: false, value: 1 });
  expect(await latest.next()).toEqual({ done: false, value: 2 });
});

test('undefined is a value like any other', async () => {
  const latest = new Latest<undefined>();
  latest.push(undefined);
  expect(await latest.next()).toEqual({ done: false, value: undefined });
});

test('the value that is there comes before the end, and the end tells the other side once', async () => {
  const ended = vi.fn();
  const latest = new Latest<number>(ended);
  latest.push(1);
  latest.finish();
  latest.finish();
  latest.push(2);
  const seen: number[] = [];
  for await (const value of latest) seen.push(value);
  expect(seen).toEqual([1]);
  expect(ended).toHaveBeenCalledTimes(1);
});

test('an error is thrown once, ahead of a value from before it', async () => {
  const latest = new Latest<number>();
  latest.push(1);
  latest.fail(new Error('gone'));
  await expect(latest.next()).rejects.toThrow('gone');
  expect(await latest.next()).toEqual({ done: true, value: undefined });
});

test('an error reaches the reader that waits, and the others find the end', async () => {
  const latest = new Latest<number>();
  const [first, second] = [latest.next(), latest.next()];
  latest.fail(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  expect(await second).toEqual({ done: true, value: undefined });
});

test('leaving the loop ends it', async () => {
  const ended = vi.fn();
  const latest = new Latest<number>(ended);
  latest.push(1);
  for await (const _ of latest) break;
  expect(ended).toHaveBeenCalledTimes(1);
});
