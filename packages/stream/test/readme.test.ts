import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@quorate/testbed';
import { sharedTest as test } from '@quorate/testbed/vitest';
import { expect } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('the first program publishes, consumes and asks, and ends by itself', async ({ servers: { QUORATE_KAFKA } }) => {
  const readme = await readFile(join(root, 'packages/stream/README.md'), 'utf8');
  const [, first = ''] = /```ts\n(import .*?)```/s.exec(readme) ?? [];
  expect(first.trimEnd().split('\n').length).toBeLessThanOrEqual(30);
  const own = randomBytes(4).toString('hex');
  // It goes on until it is told: otherwise it might end before a message has come.
  const program = `${first
    .replace('127.0.0.1:9092', QUORATE_KAFKA ?? '')
    .replaceAll(
      "'taxi.",
      `'readme-${own}.`,
    )}\nprocess.stdin.resume();\nawait new Promise((end) => process.stdin.once('end', end));\n`;
  expect(program).toContain(QUORATE_KAFKA);
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  await mkdir(join(folder, 'node_modules/@quorate'), { recursive: true });
  await symlink(join(root, 'packages/stream'), join(folder, 'node_modules/@quorate/stream'));
  await symlink(join(root, 'node_modules/zod'), join(folder, 'node_modules/zod'));
  await writeFile(join(folder, 'program.mts'), program);
  const child = spawn(process.execPath, ['--conditions=@quorate/source', join(folder, 'program.mts')]);
  let told = '';
  for (const output of [child.stdout, child.stderr])
    output.on('data', (text) => {
      told += text;
    });
  const closed = once(child, 'close');
  await eventually('it has told both', () => child.exitCode !== null || told.trim().split('\n').length === 2);
  child.stdin.end();
  const [status] = await closed;
  expect(told.trim().split('\n').sort()).toEqual(['cab-42 12.5', '{ price: 15.1 }'].sort());
  expect(status).toBe(0);
});
