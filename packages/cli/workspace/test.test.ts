import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@quorate/testbed';
import { expect, onTestFinished, test } from 'vitest';
import { command, root } from './command.ts';

const program = ['--conditions=@quorate/source', 'packages/cli/workspace/test.ts'];

test.for([
  [
    ['packages/testbed/test/spark.test.ts'],
    'no test matches packages/testbed/test/spark.test.ts; it runs with npm run test:spark',
  ],
  [
    ['packages/cli/workspace/tally.test.ts', '-t', 'no such name'],
    'no test matches packages/cli/workspace/tally.test.ts -t no such name',
  ],
] as const)('%j, which no test matches, fails and says so', async ([filters, words]) => {
  const { status, output } = await command(process.execPath, [...program, ...filters]);
  expect(output).toContain(words);
  expect(output).toMatch(/^0 passed, 1 failed(, 1 skipped)?\n$/m);
  expect(status).toBe(1);
});

test('npm test that is told to stop leaves nothing in the temporary folder', async () => {
  const place = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  onTestFinished(() => rm(place, { recursive: true, force: true }));
  const child = spawn(process.execPath, [...program, 'packages/core/src'], {
    cwd: root,
    env: { ...process.env, TMPDIR: place },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let out = '';
  child.stdout.on('data', (text) => (out += text));
  const ended = once(child, 'exit');
  await eventually('Vitest runs', () => out.includes('RUN'));
  child.kill('SIGTERM');
  expect(await ended).toEqual([143, null]);
  const left = (await readdir(place)).filter((name) => name.startsWith('quorate-'));
  expect(left).toEqual([]);
});
