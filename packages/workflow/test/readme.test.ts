import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bench, sharedTemporal } from './fixture.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('the first program runs as it stands there: it prints what the README says, and ends by itself', async () => {
  await using b = await bench(sharedTemporal());
  const readme = await readFile(join(root, 'packages/workflow/README.md'), 'utf8');
  const files = [...readme.matchAll(/```ts\n\/\/ (\w+\.ts).*?\n(.*?)```/gs)];
  expect(files.map(([, name]) => name)).toEqual(['workflows.ts', 'work.ts', 'main.ts']);
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  await mkdir(join(folder, 'node_modules/@quorate'), { recursive: true });
  for (const name of ['core', 'workflow'])
    await symlink(join(root, 'packages', name), join(folder, 'node_modules/@quorate', name));
  await symlink(join(root, 'node_modules/@temporalio'), join(folder, 'node_modules/@temporalio'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  for (const [, name = '', code = ''] of files)
    await writeFile(
      join(folder, name),
      code
        .replace('127.0.0.1:7233', sharedTemporal())
        .replace("'taxi'", `'${b.taskQueue}'`)
        .replaceAll(/'(ride-\d)'/g, (_match, id: string) => `'${b.id(id)}'`),
    );
  const child = spawn(process.execPath, ['--conditions=@quorate/source', join(folder, 'main.ts')]);
  let told = '';
  for (const output of [child.stdout, child.stderr])
    output.on('data', (text) => {
      told += text;
    });
  const [status] = await once(child, 'close');
  expect(told.trim().split('\n')).toEqual([
    '12 for a seat in cab-42',
    'a seat in cab-42',
    'cab-42 is free again',
    `the workflow "${b.id('ride-2')}" failed: the card is declined; undone: book`,
  ]);
  expect(status).toBe(0);
});
