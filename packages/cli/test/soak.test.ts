import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, counter, History } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { soakCommand } from '../workspace/soak/command.ts';
import { Collected, inOwnFolder } from './quorate.ts';

inOwnFolder();

const program = fileURLToPath(new URL('../workspace/soak.ts', import.meta.url));

function soak(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  return new Promise((done) => {
    execFile(process.execPath, ['--conditions=@quorate/source', program, ...args], (error, out, err) =>
      done({ status: error ? Number(error.code) : 0, out, err }),
    );
  });
}

test.concurrent('a short soak breaks the ensemble, loses nothing, and says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  const { status, out, err } = await soak('--minutes', '0.15', '--seed', '7', '--json', '--keep', folder);
  expect(err).toBe('');
  const report = JSON.parse(out);
  expect(report).toMatchObject({ seed: 7, counts: { pending: 0 } });
  expect(report.verdicts.map(({ result }: { result: string }) => result)).toEqual(Array(5).fill('valid'));
  expect(status).toBe(0);
  expect(report.counts.ok).toBeGreaterThan(100);
  expect(Object.keys(report.counts.faults).length).toBeGreaterThan(1);
  const history = await History.load(join(folder, 'history.jsonl'));
  expect(history.counts).toEqual(report.counts);
  expect(check.linearizable(history, counter())).toEqual(report.verdicts[0]);
  expect(await readFile(join(folder, 'picture.html'), 'utf8')).toContain('<svg');
  await rm(folder, { recursive: true });
});

test.concurrent('clients that lose updates are found out, with the command that repeats it and a picture', async () => {
  const { status, out } = await soak('--minutes', '0.1', '--seed', '8', '--careless', '--quiet');
  expect(status).toBe(1);
  expect(out).toMatch(/^INVALID {2}linearizable as a counter/m);
  expect(out).toMatch(/^INVALID {2}no lost updates/m);
  expect(out).toMatch(/^VALID {2}linearizable as a compare-and-set register/m);
  expect(out).toContain('the same schedule again: npm run soak -- --minutes 0.1 --seed 8 --clients 3 --careless');
  const folder = /^history and picture: (.*)$/m.exec(out)?.[1] ?? '';
  expect(await readFile(join(folder, 'picture.html'), 'utf8')).toContain('these contradict each other');
  expect((await History.load(join(folder, 'history.jsonl'))).counts.ok).toBeGreaterThan(100);
  await rm(folder, { recursive: true });
});

test.for([
  [['--minutes', '0'], 'Expected a number from 0.1 to 10000.'],
  [['--seed', 'x'], 'Expected a whole number.'],
  [['--clients', '99'], 'Expected a whole number from 1 to 16.'],
] as const)('%j is bad use', async ([args, message]) => {
  const err = new Collected();
  expect(await soakCommand(args, { stdout: err, stderr: err, env: {} })).toBe(2);
  expect(err.text).toContain(message);
});
