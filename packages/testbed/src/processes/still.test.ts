import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isStill } from './groups.ts';
import { standsStill } from './still.ts';

test('stands still only once all of it was stopped', async () => {
  const child = spawn(process.execPath, ['-e', 'console.log(); for (;;);'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await expect(standsStill(child.pid, { within: 20 })).rejects.toThrow(`process ${child.pid} stands still`);
  child.kill('SIGSTOP');
  await standsStill(child.pid);
  expect(isStill(child.pid as number)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await standsStill(child.pid);
});
