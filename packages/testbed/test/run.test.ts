import { afterEach, expect, test, vi } from 'vitest';
import { CommandFailedError, run } from '../src/processes/run.ts';
import { Warden } from '../src/processes/warden.ts';
import { isAlive } from './alive.ts';

afterEach(() => vi.restoreAllMocks());

test('what a command started ends with it, when it is no longer wanted', async () => {
  await using warden = Warden.withoutFolder();
  const controller = new AbortController();
  const pids: number[] = [];
  const running = run(warden, {
    command: 'sh',
    args: ['-c', 'sleep 600 & echo $!; echo $$; wait'],
    cwd: '/',
    signal: controller.signal,
    onLine: (line) => {
      if (pids.push(Number(line)) === 2) controller.abort(new Error('enough'));
    },
  });
  await expect(running).rejects.toThrow('enough');
  expect(pids).toHaveLength(2);
  expect(pids.filter(isAlive)).toEqual([]);
});

test('a command that fails says so with its last thirty lines', async () => {
  await using warden = Warden.withoutFolder();
  const failing = run(warden, { command: 'sh', args: ['-c', 'seq 100; exit 3'], cwd: '/' });
  const error = await failing.catch((error) => error);
  expect(error).toBeInstanceOf(CommandFailedError);
  const lines = Array.from({ length: 30 }, (_, index) => `  | ${71 + index}`);
  expect(error.message).toBe(['sh failed with status 3. Its output:', ...lines].join('\n'));
});
