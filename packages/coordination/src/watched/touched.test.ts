import { expect, test } from 'vitest';
import { Touched } from './touched.ts';

test('first everything, then each path once, then nothing until something changes', async () => {
  const touched = new Touched();
  expect(await touched.take()).toBe('everything');
  for (const path of ['/a', '/b', '/a']) touched.add({ type: 'changed', path });
  expect(await touched.take()).toEqual(new Set(['/a', '/b']));
  let taken = false;
  const waiting = touched.take().then((reading) => {
    taken = true;
    return reading;
  });
  await new Promise(setImmediate);
  expect(taken).toBe(false);
  touched.add({ type: 'deleted', path: '/c' });
  expect(await waiting).toEqual(new Set(['/c']));
});

test('after a gap, and where too much comes together, everything', async () => {
  const touched = new Touched(3);
  await touched.take();
  touched.add({ type: 'changed', path: '/a' });
  touched.add({ type: 'gap', path: '/' });
  touched.add({ type: 'changed', path: '/b' });
  expect(await touched.take()).toBe('everything');
  for (const path of ['/a', '/b', '/c', '/d']) touched.add({ type: 'changed', path });
  expect(await touched.take()).toBe('everything');
});

test('it ends once, with an error or without', async () => {
  const finished = new Touched();
  finished.end();
  expect(await finished.take()).toBeUndefined();
  const failed = new Touched();
  await failed.take();
  const waiting = failed.take();
  failed.end(new Error('first'));
  failed.end(new Error('second'));
  await expect(waiting).rejects.toThrow('first');
  await expect(failed.take()).rejects.toThrow('first');
});
