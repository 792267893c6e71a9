import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@quorate/testbed';
import { expect, onTestFinished, test } from 'vitest';
import { family, runs } from './processes.ts';

const cli = fileURLToPath(new URL('..', import.meta.url));

/** A repository whose packages are installed already, with the real command behind the real bootstrap. */
async function repository(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  for (const path of ['packages/cli/src', 'node_modules/node/bin', 'beds'])
    await mkdir(join(folder, path), { recursive: true });
  for (const name of ['bootstrap.js', 'claim.js', 'parent.js'])
    await copyFile(join(cli, name), join(folder, 'packages/cli', name));
  await writeFile(join(folder, 'packages/cli/src/quorate.ts'), `await import('${join(cli, 'src/quorate.ts')}');`);
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ type: 'module', scripts: { quorate: 'node packages/cli/bootstrap.js quorate' } }),
  );
  await writeFile(join(folder, 'package-lock.json'), '{}');
  const stamp = createHash('sha256')
    .update('{}')
    .update(process.platform + process.arch)
    .digest('hex');
  await writeFile(join(folder, 'node_modules/.quorate-installed'), stamp);
  const node = join(folder, 'node_modules/node/bin/node');
  await writeFile(node, `#!/bin/sh\nexec "${process.execPath}" "$@"\n`);
  await chmod(node, 0o755);
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

test.for([
  ['npm', /^npm run quorate/],
  ['the bootstrap', /^node \S*bootstrap\.js/],
  ['quorate run', /quorate\.ts run/],
] as const)('kill -9 of %s leaves no process and no data: nothing outlives its parent', async ([, victim]) => {
  await using repo = await repository();
  // A shell with children, one of which it does not wait for.
  const command = 'sleep 307 & sh -c "sleep 308; true" & echo started; wait';
  const npm = spawn('npm', ['run', 'quorate', '--', 'run', '--redis', '1', '--', 'sh', '-c', command], {
    cwd: repo.folder,
    env: { ...process.env, TMPDIR: join(repo.folder, 'beds') },
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
  expect((await readdir(join(repo.folder, 'beds'))).filter((name) => name.startsWith('quorate-'))).toEqual([]);
});
