import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('what is published, plain JavaScript, does the same as the sources', async () => {
  await promisify(execFile)('tsc', ['-b'], { cwd: root });
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
  expect(up.stdout).toMatch(/^redis:\/\/127\.0\.0\.1:\d+\n$/);
});
