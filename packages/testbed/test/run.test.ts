import { afterEach, expect, test, vi } from 'vitest';
import { eventually } from '../src/index.ts';
import { CommandFailedError, run } from '../src/processes/run.ts';
import { Warden } from '../src/processes/warden.ts';
import { isAlive } from './alive.ts';

afterEach(() => vi.restoreAllMocks());

test.each([
  ['', 'sleep 600 & echo $!; echo $$; wait'],
  [' when it has ended before', 'sleep 600 & echo $!; echo $$'],
  ...(process.platform === 'linux'
    ? [[' in a session of its own', "setsid sh -c 'echo $$; exec sleep 600' & echo $$"]]
    : []),
])('what a command started ends with it%s, when it is no longer wanted', async (_how, script) => {
  await using warden = Warden.withoutFolder();
  const controller = new AbortController();
  const pids: number[] = [];
  const running = run(warden, {
    command: 'sh',
    args: ['-c', script],
    cwd: '/',
    signal: controller.signal,
    onLine: (line) => pids.push(Number(line)),
  });
  const outcome = expect(running).rejects.toThrow('enough');
  await eventually('both have said who they are', () => pids.length === 2);
  if (!script.endsWith('wait')) await eventually('the command has ended', () => pids.some((pid) => !isAlive(pid)));
  controller.abort(new Error('enough'));
  await outcome;
  await eventually('both are gone', () => !pids.some(isAlive), { within: 5_000 });
});

test('a command that is not wanted any more by the time it starts ends at once', async () => {
  await using warden = Warden.withoutFolder();
  const controller = new AbortController();
  const running = run(warden, { command: 'sleep', args: ['600'], cwd: '/', signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
});

test('a command that fails says so with its last thirty lines', async () => {
  await using warden = Warden.withoutFolder();
  const failing = run(warden, { command: 'sh', args: ['-c', 'seq 100; exit 3'], cwd: '/' });
  const error = await failing.catch((error) => error);
  expect(error).toBeInstanceOf(CommandFailedError);
  const lines = Array.from({ length: 30 }, (_, index) => `  | ${71 + index}`);
  expect(error.message).toBe(['sh failed with status 3. Its output:', ...lines].join('\n'));
});
