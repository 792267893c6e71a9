import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const bootstrap = fileURLToPath(new URL('../bootstrap.js', import.meta.url));

interface Repository extends AsyncDisposable {
  readonly folder: string;
  run(...args: string[]): Promise<{ status: number; out: string; err: string }>;
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
  await copyFile(bootstrap, join(folder, 'packages/cli/bootstrap.js'));
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
  return {
    folder,
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

test('an install that was interrupted is begun again', async () => {
  await using repo = await repository({ npm: 'kill -KILL $PPID; sleep 5' });
  await repo.run('check');
  expect(existsSync(join(repo.folder, 'node_modules/.quorate-installed'))).toBe(false);
});

test('an unknown command is refused by name, before anything is installed', async () => {
  await using repo = await repository();
  const { status, err } = await repo.run('tset');
  expect(err).toContain('bootstrap: expected one of quorate, test, check, fix, soak, bench, demo, got "tset"');
  expect(status).toBe(2);
  expect(await repo.installs()).toBe(0);
});
