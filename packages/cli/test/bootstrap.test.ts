import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '@quorate/testbed';
import { expect, onTestFinished, test } from 'vitest';
import { installedRepository } from './installed-repository.ts';
import { runs } from './processes.ts';

const cli = fileURLToPath(new URL('..', import.meta.url));

interface Repository extends AsyncDisposable {
  readonly folder: string;
  run(...args: string[]): Promise<{ status: number; out: string; err: string }>;
  start(...args: string[]): ChildProcess & { readonly complained: () => string };
  /** How often npm was asked to install. */
  installs(): Promise<number>;
}

/**
 * A repository with the bootstrap and one command that says which Node runs it. Its npm is a stand-in that counts: what
 * is tested is when it is called, and what happens after it fails. The pinned Node is this one, marked.
 */
async function repository({ npm = 'exit 0' } = {}): Promise<Repository> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  await mkdir(join(folder, 'packages/cli/workspace'), { recursive: true });
  for (const name of ['bootstrap.js', 'claim.js', 'parent.js'])
    await copyFile(join(cli, name), join(folder, 'packages/cli', name));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ packages: { 'node_modules/a': {} } }));
  await writeFile(
    join(folder, 'packages/cli/workspace/check.ts'),
    'console.log(process.env.PINNED, process.argv.slice(2).join(" ")); process.exitCode = 5;',
  );
  const pinned = join(folder, 'node_modules/node/bin/node');
  const lines = [
    '#!/bin/sh',
    `echo install >> "${folder}/installs"`,
    `mkdir -p "${folder}/node_modules/node/bin"`,
    `printf '#!/bin/sh\nPINNED=pinned exec "${process.execPath}" "$@"\n' > "${pinned}"`,
    `chmod +x "${pinned}"`,
    npm,
  ];
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin/npm'), `${lines.join('\n')}\n`);
  await chmod(join(folder, 'bin/npm'), 0o755);
  const { npm_execpath: _, ...env } = process.env;
  const start: Repository['start'] = (...args) => {
    const child = spawn(process.execPath, [join(folder, 'packages/cli/bootstrap.js'), ...args], {
      env: { ...env, PATH: `${folder}/bin:${process.env.PATH}` },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let err = '';
    child.stderr.on('data', (text) => (err += text));
    return Object.assign(child, { complained: () => err });
  };
  return {
    folder,
    start,
    run: (...args) =>
      new Promise((done) => {
        execFile(
          process.execPath,
          [join(folder, 'packages/cli/bootstrap.js'), ...args],
          { env: { ...env, PATH: `${folder}/bin:${process.env.PATH}` } },
          (error, out, err) => done({ status: error ? Number(error.code) : 0, out, err }),
        );
      }),
    installs: async () => (await readFile(join(folder, 'installs'), 'utf8').catch(() => '')).split('\n').length - 1,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

test('installs once, says so, and hands over to the pinned Node with the arguments and the exit status', async () => {
  await using repo = await repository();
  const first = await repo.run('check', 'one', '--two');
  expect(first.err).toMatch(/^Installing the npm packages …\nInstalled the npm packages in \d+ s\.\n$/);
  expect(first.out).toBe('pinned one --two\n');
  expect(first.status).toBe(5);
  const second = await repo.run('check');
  expect(second.err).toBe('');
  expect(await repo.installs()).toBe(1);
});

test('installs again when the lock has changed', async () => {
  await using repo = await repository();
  await repo.run('check');
  await writeFile(join(repo.folder, 'package-lock.json'), JSON.stringify({ packages: { 'node_modules/b': {} } }));
  await repo.run('check');
  expect(await repo.installs()).toBe(2);
});

test('shows what npm said when it fails, stops, and tries again the next time', async () => {
  await using repo = await repository({ npm: 'echo "npm error ENOTFOUND" >&2; exit 1' });
  const failed = await repo.run('check');
  expect(failed.err).toContain('npm error ENOTFOUND\n\nnpm install failed with status 1: see above.');
  expect(failed).toMatchObject({ status: 1, out: '' });
  await repo.run('check');
  expect(await repo.installs()).toBe(2);
});

test('what npm remembers of a package is enough, and where it is too old npm asks again', async () => {
  const old = 'case "$*" in *prefer-offline*) echo "npm error code ETARGET" >&2; exit 1;; esac';
  await using repo = await repository({ npm: old });
  expect(await repo.run('check')).toMatchObject({ status: 5, out: 'pinned \n' });
  expect(await repo.installs()).toBe(2);
});

test('an install that was interrupted is begun again', async () => {
  await using repo = await repository({ npm: 'kill -KILL $PPID; sleep 5' });
  await repo.run('check');
  expect(existsSync(join(repo.folder, 'node_modules/.quorate-installed'))).toBe(false);
});

test('of two commands on a fresh clone one installs, and the other says that it waits', async () => {
  await using repo = await repository({ npm: 'until [ -e gate ]; do sleep 0.02; done' });
  const first = repo.start('check');
  await eventually('the first installs', async () => (await repo.installs()) === 1);
  const second = repo.start('check');
  await eventually('the second waits', () =>
    second.complained().includes(`Process ${first.pid} is installing the npm packages: waiting for it …\n`),
  );
  const ended = Promise.all([first, second].map((child) => once(child, 'close')));
  await writeFile(join(repo.folder, 'gate'), '');
  expect((await ended).map(([status]) => status)).toEqual([5, 5]);
  expect(await repo.installs()).toBe(1);
});

test('the place of an installer that was killed is taken by one that waits, and its npm ends with it', async () => {
  await using repo = await repository({ npm: 'echo $$ >> pids; until [ -e gate ]; do sleep 0.02; done' });
  const first = repo.start('check');
  await eventually('the first installs', async () => existsSync(join(repo.folder, 'pids')));
  const second = repo.start('check');
  await eventually('the second waits', () => second.complained().includes('waiting for it'));
  first.kill('SIGKILL');
  await eventually('the second installs', async () => (await repo.installs()) === 2);
  const [npm = ''] = (await readFile(join(repo.folder, 'pids'), 'utf8')).split('\n');
  await eventually('the npm of the first is gone', () => !runs(Number(npm)));
  const ended = once(second, 'close');
  await writeFile(join(repo.folder, 'gate'), '');
  expect(await ended).toEqual([5, null]);
});

test('npx quorate works in a clone whose packages npm has installed, though nothing is built', async () => {
  await using repo = await installedRepository();
  const { NODE_OPTIONS: _, ...env } = process.env;
  const npm = (command: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    promisify(execFile)(command, args, {
      cwd: join(repo.folder, 'packages'),
      env: { ...env, npm_config_offline: 'true', NODE_DISABLE_COMPILE_CACHE: '1' },
    });
  await npm('npm', 'install', '--no-audit', '--no-fund', '--no-save', '--prefix', repo.folder);
  const { stdout } = await npm('npx', 'quorate', '--version');
  expect(stdout).toBe('0.1.0\n');
});

test.each(['tset', 'toString'])(
  'an unknown command, %s, is refused by name, before anything is installed',
  async (command) => {
    await using repo = await repository();
    const { status, err } = await repo.run(command);
    expect(err).toContain(`bootstrap: expected one of quorate, test, check, fix, soak, bench, demo, got "${command}"`);
    expect(status).toBe(2);
    expect(await repo.installs()).toBe(0);
  },
);
