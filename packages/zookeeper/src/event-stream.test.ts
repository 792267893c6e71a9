import { expect, test } from 'vitest';
import { EventStream } from './event-stream.ts';

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const each of stream) seen.push(each);
  return seen;
}

test('what waited is read in order, then the end', async () => {
  const stream = new EventStream<number>();
  stream.push(1);
  stream.push(2);
  stream.finish();
  stream.push(3);
  expect(await all(stream)).toEqual([1, 2]);
});

test('a failure comes after what waited, once', async () => {
  const stream = new EventStream<number>();
  stream.push(1);
  stream.fail(new Error('over'));
  expect(await stream.next()).toEqual({ done: false, value: 1 });
  await expect(stream.next()).rejects.toThrow('over');
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test('aborting drops what waited', async () => {
  const stream = new EventStream<number>();
  stream.push(1);
  stream.abort(new Error('enough'));
  await expect(stream.next()).rejects.toThrow('enough');
});

test('readers that came first are served first, and all are let go at the end', async () => {
  const stream = new EventStream<number>();
  const reads = [stream.next(), stream.next(), stream.next()];
  stream.push(1);
  stream.finish();
  expect((await Promise.all(reads)).map(({ value }) => value)).toEqual([1, undefined, undefined]);
});

test('a reader that does not keep up is told so, instead of filling the memory', async () => {
  const stream = new EventStream<string>({ limit: 3, overflow: () => 'gap' });
  for (let i = 0; i < 5; i += 1) stream.push(String(i));
  stream.finish();
  expect(await all(stream)).toEqual(['gap', '4']);
});

test('breaking out of the loop ends it, and says so once', async () => {
  let ended = 0;
  const stream = new EventStream<number>({
    ended: () => {
      ended += 1;
    },
  });
  stream.push(1);
  stream.push(2);
  for await (const _ of stream) break;
  stream.finish();
  stream.fail(new Error('late'));
  expect(ended).toBe(1);
  expect(await all(stream)).toEqual([]);
});
