import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@quorate/testbed';
import { expect, onTestFinished, test } from 'vitest';
import { installedRepository } from './installed-repository.ts';
import { family, runs } from './processes.ts';

test.for([
  ['npm', /^npm run quorate/],
  ['the bootstrap', /^node \S*bootstrap\.js/],
  ['quorate run', /quorate\.ts run/],
] as const)('kill -9 of %s leaves no process and no data: nothing outlives its parent', async ([, victim]) => {
  await using repo = await installedRepository();
  // A shell with children, one of which it does not wait for.
  const command = 'sleep 307 & sh -c "sleep 308; true" & echo started; wait';
  const npm = spawn('npm', ['run', 'quorate', '--', 'run', '--redis', '1', '--', 'sh', '-c', command], {
    cwd: repo.folder,
    env: { ...process.env, TMPDIR: join(repo.folder, 'beds'), NODE_DISABLE_COMPILE_CACHE: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let started: ReturnType<typeof family> = [];
  onTestFinished(() => {
    for (const { pid } of started) if (runs(pid)) process.kill(pid, 'SIGKILL');
  });
  let printed = '';
  npm.stdout.on('data', (text) => (printed += text));
  await eventually('the command runs', () => printed.includes('started'), { within: 30_000 });
  started = await eventually('all of it is there', () => {
    const processes = family(npm.pid as number);
    const expected = [victim, /redis-server/, /quorate-warden/, /quorate-guard/, /^sleep 307/, /^sleep 308/];
    return expected.every((words) => processes.some((one) => words.test(one.words))) ? processes : undefined;
  });
  const { pid } = started.find(({ words }) => victim.test(words)) ?? {};
  // The command is in the process group of what started it: the terminal's input and Ctrl-C are its own.
  const groupOf = (words: RegExp): number | undefined => started.find((one) => words.test(one.words))?.group;
  expect(groupOf(/^sleep 308/)).toBe(groupOf(/quorate\.ts run/));
  process.kill(pid as number, 'SIGKILL');
  await eventually(
    'all of it is gone',
    () => {
      const left = started.filter((one) => runs(one.pid));
      if (left.length > 0) throw new Error(`still there: ${left.map(({ words }) => words.slice(0, 80)).join(' | ')}`);
      return true;
    },
    { within: 20_000 },
  );
  expect(await readdir(join(repo.folder, 'beds'))).toEqual([]);
});
