import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { check, eventually, History } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { beds, end, type Playing, play, start, temporary } from './quorate-demo.ts';

test('a paused holder of a lock undoes the adds of others, unless the till looks at its token', async () => {
  const { status, report } = await play('concurrency', '--fast', '--seed', '7');
  expect(report.verdicts.map(({ result }) => result)).toEqual(['valid', 'valid']);
  const [bare, locked, paused, fenced] = report.rows;
  expect(bare?.lost).toBeGreaterThan(0);
  expect(locked).toMatchObject({ lost: 0 });
  // Three clerks add six each while dora stands still. Then she writes what she would have written before them.
  expect(paused).toMatchObject({ acknowledged: 21, 'the counter says': 3, lost: 18 });
  expect(fenced).toMatchObject({ acknowledged: 21, 'the counter says': 21, lost: 0 });
  expect(fenced?.refused).toBeGreaterThan(0);
  expect(status).toBe(0);
  expect(await beds()).toEqual([]);
});

test('a till that does not look at the token loses updates: the verdict fails, with a picture of it', async () => {
  const file = join(temporary, 'concurrency.html');
  const { status, told } = await end(start('concurrency', '--fast', '--seed', '7', '--sabotage', '--picture', file));
  expect(told).toContain('sabotage        the till takes the token and does not look at it');
  expect(told).toMatch(/^INVALID {2}no lost updates: an add was lost of key fenced/m);
  expect(told).toMatch(/^INVALID {2}linearizable as a counter/m);
  expect(status).toBe(1);
  expect(await readFile(file, 'utf8')).toContain('A token that nobody looks at');
  const history = await History.load(file.replace('.html', '.jsonl'));
  expect(history.counts.faults).toEqual({ pause: 2 });
  expect(check.noLostUpdates(history).result).toBe('invalid');
});

test.for(['SIGINT', 'SIGKILL'] as const)('%s while dora stands still leaves nothing of her', async (signal) => {
  const child = start('concurrency', '--fast');
  await eventually('dora stands still', () => child.told().includes('is stopped (SIGSTOP)'));
  const dora = await eventually('her process', () => pidOfDora(child));
  child.kill(signal);
  expect((await end(child)).status).toBe(signal === 'SIGINT' ? 130 : 'SIGKILL');
  await eventually('she is gone', () => !isAlive(dora), { within: 5_000 });
  await eventually('no bed is left', async () => (await beds()).length === 0, { within: 5_000 });
});

/** Among the children of the demo's process. */
function pidOfDora({ pid }: Playing): number | undefined {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const found = lines
    .map((line) => line.trim().split(/\s+/))
    .find(([, parent, ...args]) => {
      return parent === String(pid) && args.some((arg) => arg.includes('dora-process'));
    });
  return found && Number(found[0]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
