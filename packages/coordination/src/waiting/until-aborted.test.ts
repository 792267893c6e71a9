import { QuorateError } from '@quorate/core';
import { expect, test } from 'vitest';
import { untilAborted, workUntilAborted } from './until-aborted.ts';

test('without an abort it is what the work comes to, and no listener is left', async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const counted = new Proxy(signal, {
    get: (target, name) => {
      if (name === 'addEventListener') listeners += 1;
      if (name === 'removeEventListener') listeners -= 1;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  expect(await untilAborted(counted, Promise.resolve(1))).toBe(1);
  await expect(untilAborted(counted, Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(listeners).toBe(0);
  expect(await untilAborted(undefined, Promise.resolve(2))).toBe(2);
});

test('an abort rejects at once, and what comes all the same is unwanted', async () => {
  const controller = new AbortController();
  const work = Promise.withResolvers<string>();
  const unwanted: string[] = [];
  const waiting = workUntilAborted(controller.signal, work.promise, (result) => unwanted.push(result));
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(unwanted).toEqual([]);
  work.resolve('late');
  await work.promise;
  expect(unwanted).toEqual(['late']);
});

test('aborted before it begins, or as the work ends: either the result or the reason, and never both', async () => {
  const unwanted: number[] = [];
  const reason = new Error('enough');
  const late = workUntilAborted(AbortSignal.abort(reason), Promise.resolve(1), (result) => unwanted.push(result));
  await expect(late).rejects.toBe(reason);
  expect(unwanted).toEqual([1]);
  const controller = new AbortController();
  const work = Promise.withResolvers<number>();
  const racing = workUntilAborted(controller.signal, work.promise, (result) => unwanted.push(result));
  work.resolve(2);
  controller.abort(reason);
  await expect(racing).rejects.toBe(reason);
  expect(unwanted).toEqual([1, 2]);
  await expect(untilAborted(controller.signal, Promise.reject(new Error('also')))).rejects.toBe(reason);
});

test('a reason that says that nothing happened is right of what others do, and not of our own work', async () => {
  const signal = AbortSignal.abort(new QuorateError('stop', { code: 'fenced', happened: 'no' }));
  const never = new Promise<void>(() => undefined);
  await expect(untilAborted(signal, never)).rejects.toMatchObject({ code: 'fenced', happened: 'no' });
  await expect(workUntilAborted(signal, never)).rejects.toMatchObject({ code: 'fenced', happened: 'unknown' });
});
