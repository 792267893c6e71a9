import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { backoff } from './backoff.ts';
import { sleep } from './sleep.ts';

test('an abort ends it at once, with the reason of the signal, in the background as well', async () => {
  for (const background of [false, true]) {
    const stop = new AbortController();
    const asleep = sleep(60_000, { signal: stop.signal, background });
    stop.abort(new Error('enough'));
    await expect(asleep).rejects.toThrow('enough');
    await expect(sleep(60_000, { signal: stop.signal, background })).rejects.toThrow('enough');
  }
});

test('a wait longer than the longest timer of Node ends when it is over, and not before', async () => {
  vi.useFakeTimers();
  try {
    const long = 3 * 2 ** 31;
    for (const wait of [() => sleep(long), () => backoff({ min: long, max: long, jitter: 0 }).wait()]) {
      let over = false;
      const waiting = wait().then(() => {
        over = true;
      });
      await vi.advanceTimersByTimeAsync(long - 1);
      expect(over).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      await waiting;
    }
    const stop = new AbortController();
    const endless = sleep(Infinity, { signal: stop.signal });
    await vi.advanceTimersByTimeAsync(2 ** 33);
    stop.abort(new Error('enough'));
    await expect(endless).rejects.toThrow('enough');
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('what is not a number is refused', async () => {
  await expect(sleep(Number.NaN)).rejects.toThrow('ms: expected a number of milliseconds, got NaN');
});

test('in the background it does not keep the process alive', async () => {
  const source = `import { sleep } from ${JSON.stringify(new URL('sleep.ts', import.meta.url).href)};
    sleep(60_000, { background: true });
    sleep(1).then(() => console.log('done'));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], {
    timeout: 20_000,
  });
  expect(stdout).toBe('done\n');
});
