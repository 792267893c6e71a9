import { deadline, sleep } from '@quorate/core';
import { expect, test } from 'vitest';
import { race } from './race.ts';

test('what is done when the process goes on counts, though the deadline has passed meanwhile', async () => {
  using limit = deadline(5);
  const done = race(
    sleep(10).then(() => 'done'),
    limit.signal,
  );
  const until = performance.now() + 40;
  while (performance.now() < until);
  expect(await done).toBe('done');
});

test('the wait ends with the reason of the signal, and leaves no listener on it', async () => {
  const controller = new AbortController();
  const reason = new Error('no longer wanted');
  const never = race(new Promise(() => {}), controller.signal);
  controller.abort(reason);
  await expect(never).rejects.toBe(reason);
  await expect(race(Promise.reject(new Error('late')), controller.signal)).rejects.toBe(reason);
});
