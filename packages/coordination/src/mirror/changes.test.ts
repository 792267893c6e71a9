import { expect, test, vi } from 'vitest';
import { Changes, type MirrorChange } from './changes.ts';

const changed = (path: string, text: string): MirrorChange => ({
  type: 'changed',
  path,
  node: { data: Buffer.from(text), stat: {} as never },
});

test('a slow reader gets the latest change of each path', async () => {
  const changes = new Changes('/m', () => undefined);
  changes.push(changed('/m/a', '1'));
  changes.push(changed('/m/b', '2'));
  changes.push({ type: 'deleted', path: '/m/a' });
  expect((await changes.next()).value).toEqual({ type: 'deleted', path: '/m/a' });
  expect((await changes.next()).value).toEqual(changed('/m/b', '2'));
  const waiting = changes.next();
  changes.push(changed('/m/c', '3'));
  expect((await waiting).value).toEqual(changed('/m/c', '3'));
});

test('where too many wait there is a gap, and what changes before it is read is part of it', async () => {
  const changes = new Changes('/m', () => undefined, 2);
  for (const path of ['/m/a', '/m/b', '/m/b', '/m/c', '/m']) changes.push(changed(path, ''));
  expect((await changes.next()).value).toEqual({ type: 'gap', path: '/m' });
  changes.push(changed('/m/d', ''));
  expect((await changes.next()).value).toEqual(changed('/m/d', ''));
});

test('what is there comes before the end, and two readers share it', async () => {
  const ended = vi.fn();
  const changes = new Changes('/m', ended);
  const [one, two, three] = [changes.next(), changes.next(), changes.next()];
  changes.push(changed('/m/a', ''));
  changes.push(changed('/m/b', ''));
  changes.finish();
  const results = await Promise.all([one, two, three]);
  expect(results.map(({ value }) => value?.path)).toEqual(['/m/a', '/m/b', undefined]);
  expect(ended).toHaveBeenCalledOnce();
});

test('an error is thrown once, at once, and leaving ends it', async () => {
  const changes = new Changes('/m', () => undefined);
  changes.push(changed('/m/a', ''));
  changes.fail(new Error('lost'));
  await expect(changes.next()).rejects.toThrow('lost');
  expect((await changes.next()).done).toBe(true);
  const ended = vi.fn();
  const left = new Changes('/m', ended);
  left.push(changed('/m/a', ''));
  for await (const _ of left) break;
  expect(ended).toHaveBeenCalledOnce();
  expect((await left.next()).done).toBe(true);
});
