import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('..', import.meta.url));

/** A repository whose packages are installed already, with the real command behind the real bootstrap. */
export async function installedRepository(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  for (const path of ['packages/cli/src', 'node_modules/node/bin', 'beds'])
    await mkdir(join(folder, path), { recursive: true });
  for (const name of ['bin.js', 'bootstrap.js', 'claim.js', 'parent.js'])
    await copyFile(join(cli, name), join(folder, 'packages/cli', name));
  await writeFile(join(folder, 'packages/cli/src/quorate.ts'), `await import('${join(cli, 'src/quorate.ts')}');`);
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({
      type: 'module',
      workspaces: ['packages/*'],
      scripts: { quorate: 'node packages/cli/bootstrap.js quorate' },
    }),
  );
  await writeFile(
    join(folder, 'packages/cli/package.json'),
    JSON.stringify({ name: 'quorate', version: '0.0.0', type: 'module', bin: (await manifest()).bin }),
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

async function manifest(): Promise<{ readonly bin: Readonly<Record<string, string>> }> {
  return JSON.parse(await readFile(join(cli, 'package.json'), 'utf8'));
}
