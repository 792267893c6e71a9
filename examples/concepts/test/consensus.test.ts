import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { check, eventually, History } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { beds, end, play, start, temporary } from './quorate-demo.ts';

test('nothing acknowledged is lost when the leader is killed, and nothing is acknowledged without a majority', async () => {
  const { status, report } = await play('consensus', '--fast', '--seed', '7');
  expect(report).toMatchObject({ seed: 7, passed: true });
  expect(report.verdicts.map(({ result }) => result)).toEqual(['valid', 'valid']);
  const [well, killed, minority, back] = report.rows;
  for (const row of report.rows) expect(row).toMatchObject({ lost: 0 });
  for (const row of [well, killed, back]) expect(row?.acknowledged).toBeGreaterThanOrEqual(10);
  expect(minority).toMatchObject({ phase: 'two of three are gone', acknowledged: 0 });
  expect(Number(minority?.refused) + Number(minority?.['nobody can say'])).toBeGreaterThanOrEqual(4);
  expect(status).toBe(0);
  expect(await beds()).toEqual([]);
});

test('servers that do not agree lose what they acknowledged: the verdict fails, with a picture of it', async () => {
  const file = join(temporary, 'consensus.html');
  const { status, told } = await end(start('consensus', '--fast', '--seed', '7', '--sabotage', '--picture', file));
  expect(told).toContain('sabotage        the servers do not know of each other');
  expect(told).toMatch(/^INVALID {2}nothing is acknowledged while two of three are gone: [1-9]/m);
  expect(told).toContain('Once more: npm run demo -- consensus --seed 7 --fast --sabotage');
  expect(status).toBe(1);
  expect(await readFile(file, 'utf8')).toContain('<svg');
  const history = await History.load(file.replace('.html', '.jsonl'));
  expect(told).toContain(check.noLostUpdates(history).summary);
  expect(history.counts.faults).toEqual({ kill: 2 });
});

test('Ctrl-C ends it at once, and leaves nothing', async () => {
  const child = start('consensus');
  await eventually('it has begun', () => child.told().includes('All three are well'));
  child.kill('SIGINT');
  expect((await end(child)).status).toBe(130);
  expect(await beds()).toEqual([]);
});
