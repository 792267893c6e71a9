import { expect, test } from 'vitest';
import { OneAtATime } from './one-at-a-time.ts';

test('one at a time, in the order of the calls, also after one has failed', async () => {
  const line = new OneAtATime();
  const log: string[] = [];
  const work = (name: string) => async (): Promise<string> => {
    log.push(`${name} begins`);
    await Promise.resolve();
    log.push(`${name} ends`);
    if (name === 'b') throw new Error(name);
    return name;
  };
  const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((name) => line.run(undefined, work(name))));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('who gives up waiting is passed over, and nobody goes before their turn', async () => {
  const line = new OneAtATime();
  const first = Promise.withResolvers<void>();
  const log: string[] = [];
  const controller = new AbortController();
  const reason = new Error('enough');
  const a = line.run(undefined, () => first.promise);
  const b = line.run(controller.signal, async () => void log.push('b'));
  const c = line.run(undefined, async () => void log.push('c'));
  controller.abort(reason);
  await expect(b).rejects.toBe(reason);
  expect(log).toEqual([]);
  first.resolve();
  await Promise.all([a, c]);
  expect(log).toEqual(['c']);
  await expect(line.run(controller.signal, async () => undefined)).rejects.toBe(reason);
});
