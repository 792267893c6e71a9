import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The command as it is published: without the demos, which are no package of the registry. */
async function installed(): Promise<AsyncDisposable & { readonly program: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  const home = join(folder, 'node_modules/quorate');
  await mkdir(join(folder, 'node_modules/@quorate'), { recursive: true });
  await cp(join(root, 'packages/cli/dist'), join(home, 'dist'), { recursive: true });
  await cp(join(root, 'packages/cli/package.json'), join(home, 'package.json'));
  const { dependencies, files, bin } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    files: string[];
    bin: { quorate: string };
  };
  for (const file of files.filter((name) => name.endsWith('.js')))
    await cp(join(root, 'packages/cli', file), join(home, file));
  for (const name of Object.keys(dependencies).filter((name) => name.startsWith('@quorate/')))
    await symlink(join(root, 'packages', name.slice('@quorate/'.length)), join(folder, 'node_modules', name));
  await symlink(join(root, 'node_modules/commander'), join(folder, 'node_modules/commander'));
  return { program: join(home, bin.quorate), [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

beforeAll(async () => {
  await promisify(execFile)('tsc', ['-b'], { cwd: root });
});

test('where the demos are not installed, demo says where they are', async () => {
  await using quorate = await installed();
  const version = await promisify(execFile)(process.execPath, [quorate.program, '--version']);
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  for (const args of [['demo'], ['demo', 'concurrency'], ['demo', '--list']]) {
    await expect(promisify(execFile)(process.execPath, [quorate.program, ...args])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^quorate: the demos are not installed: they are part of the repository of Quorate.*\n$/,
      ),
    });
  }
});

test('what is published, plain JavaScript, does the same as the sources', async () => {
  const built = fileURLToPath(new URL('../dist/quorate.js', import.meta.url));
  const up = await promisify(execFile)(process.execPath, [
    built,
    'run',
    '--redis',
    '1',
    '--zookeeper',
    '1',
    '--',
    'sh',
    '-c',
    'echo $QUORATE_REDIS',
  ]);
  expect(up.stdout).toMatch(/^redis:\/\/:[\w-]{24}@127\.0\.0\.1:\d+\n$/);
});
