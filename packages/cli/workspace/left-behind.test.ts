import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { leftBehind } from './left-behind.ts';

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

test('an empty folder that nobody uses has nothing left in it', async () => {
  expect(await leftBehind(await folder())).toEqual([]);
});

test('files are named, those in folders too', async () => {
  const place = await folder();
  await mkdir(join(place, 'a'));
  await writeFile(join(place, 'a', 'b'), '');
  expect((await leftBehind(place)).sort()).toEqual(['file a', 'file a/b']);
});

test('a process that runs with the folder as its TMPDIR, or one inside of it, is named', async ({ skip }) => {
  if (process.platform !== 'linux') skip('reads /proc, which only Linux has');
  const place = await folder();
  const child = spawn('/bin/sleep', ['60'], { env: { TMPDIR: join(place, 'inside') } });
  await once(child, 'spawn');
  expect(await leftBehind(place)).toEqual([`process ${child.pid}: /bin/sleep 60`]);
  child.kill();
  await once(child, 'exit');
  expect(await leftBehind(place)).toEqual([]);
});
