import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { sleep } from './sleep.ts';

test('an abort ends it at once, with the reason of the signal, in the background as well', async () => {
  for (const background of [false, true]) {
    const stop = new AbortController();
    const asleep = sleep(60_000, { signal: stop.signal, background });
    stop.abort(new Error('enough'));
    await expect(asleep).rejects.toThrow('enough');
    await expect(sleep(60_000, { signal: stop.signal, background })).rejects.toThrow('enough');
  }
});

test('in the background it does not keep the process alive', async () => {
  const source = `import { sleep } from ${JSON.stringify(new URL('sleep.ts', import.meta.url).href)};
    sleep(60_000, { background: true });
    sleep(1).then(() => console.log('done'));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], {
    timeout: 20_000,
  });
  expect(stdout).toBe('done\n');
});
