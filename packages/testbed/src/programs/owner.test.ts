import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isThere, thisOwner } from './owner.ts';

/** The name of a process of ours that does nothing, and that process. */
async function another(): Promise<{ owner: string; child: ReturnType<typeof spawn> }> {
  const url = JSON.stringify(new URL('./owner.ts', import.meta.url).href);
  const program = `import { thisOwner } from ${url}; console.log(await thisOwner()); setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await (child.stdout as NodeJS.ReadableStream & { take(n: number): { toArray(): Promise<Buffer[]> } })
    .take(1)
    .toArray();
  return { owner: String(line).trim(), child };
}

test('a process is there, also while it stands still, until it has ended', async () => {
  const { owner, child } = await another();
  expect(await isThere(owner)).toBe(true);
  child.kill('SIGSTOP');
  expect(await isThere(owner)).toBe(true);
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  expect(await isThere(owner)).toBe(false);
});

test('another one with the same number is not taken for it', async () => {
  const own = await thisOwner();
  expect(own).toMatch(/^\d+-\w+-\w+$/);
  expect(await isThere(own.replace(/-\w+-/, '-0-'))).toBe(false);
});

test('of a process elsewhere nothing is known', async () => {
  expect(await isThere((await thisOwner()).replace(/-\w+$/, '-elsewhere'))).toBeUndefined();
  expect(await isThere('a9f3')).toBeUndefined();
});
