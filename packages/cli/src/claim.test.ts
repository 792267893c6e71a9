import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { amend, claim, holder, release } from '../claim.js';

const module = fileURLToPath(new URL('../claim.js', import.meta.url));

async function place(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'claim');
}

/** A process that says whether it has the file, when it is told to try, and then stays. */
async function contender(file: string): Promise<{ child: ChildProcess; has: Promise<boolean>; go: () => void }> {
  const code = `
    const { claim } = await import(${JSON.stringify(module)});
    console.log('ready');
    process.stdin.once('data', () => {
      console.log(claim(${JSON.stringify(file)}) === undefined ? 'mine' : 'taken');
      process.stdin.on('data', () => {});
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdout.setEncoding('utf8');
  await once(child.stdout, 'data');
  const has = once(child.stdout, 'data').then(([text]) => String(text).trim() === 'mine');
  return { child, has, go: () => child.stdin?.write('go\n') };
}

test('a file is held by one, who can say more in it and give it up', async () => {
  const file = await place();
  expect(claim(file, { name: 'lab' })).toBeUndefined();
  expect(claim(file, { name: 'other' })).toMatchObject({ name: 'lab', pid: process.pid });
  amend(file, { name: 'lab', socket: '/s' });
  expect(holder(file)).toMatchObject({ name: 'lab', socket: '/s', pid: process.pid });
  release(file);
  expect(holder(file)).toBeUndefined();
  expect(await readdir(join(file, '..'))).toEqual([]);
});

test('a number that another process has by now is not its holder, and what cannot be read is nobody', async () => {
  const file = await place();
  claim(file);
  const { started } = JSON.parse(readFileSync(file, 'utf8')) as { started: string };
  writeFileSync(file, JSON.stringify({ pid: process.ppid, started }));
  expect(claim(file)).toBeUndefined();
  writeFileSync(file, '{"pid":');
  expect(claim(file)).toBeUndefined();
  expect(holder(file)).toMatchObject({ pid: process.pid });
});

test('of several that find a dead holder at once, one takes over', async () => {
  const file = await place();
  const contenders = await Promise.all(Array.from({ length: 4 }, () => contender(file)));
  const first = await contender(file);
  first.go();
  expect(await first.has).toBe(true);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  for (const { go } of contenders) go();
  const outcomes = await Promise.all(contenders.map(({ has }) => has));
  expect(outcomes.filter((mine) => mine)).toHaveLength(1);
  expect(await readdir(join(file, '..'))).toEqual(['claim']);
});
