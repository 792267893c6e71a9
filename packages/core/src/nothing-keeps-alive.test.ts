import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('a pending deadline does not keep the process alive', async () => {
  const program = `
    import { deadline } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    deadline(3_600_000, new AbortController().signal);
    console.log('end of program');
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 20_000,
  });
  expect(stdout).toBe('end of program\n');
});
