import { readFile } from 'node:fs/promises';
import { check, eventually, History } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { outcomesOf, phasesOf } from '../consensus/phases.ts';
import { end, fileFor, inOwnFolder, leftBy, start } from './quorate-demo.ts';

inOwnFolder();

test('a write counts in the phase in which it ended', () => {
  let at = 0;
  const history = new History({ clock: () => at });
  const add = (value: string) => history.invoke('ann', 'add', { key: '/ledger', value });
  const [early, lost] = [add('before the first phase'), add('never heard of')];
  history.note('phase', 'one');
  early.ok();
  const across = add('across');
  at = 5;
  history.note('phase', 'two');
  lost.ambiguous();
  across.ok();
  add('refused').failed();
  at = 9;
  add('never ended');
  const counted = phasesOf(history).map(({ writes, from, to }) => {
    const { acknowledged, refused, unknown } = outcomesOf(writes);
    return [acknowledged.length, refused.length, unknown.length, from, to];
  });
  expect(counted).toEqual([
    [1, 0, 0, 0, 5],
    [1, 1, 1, 5, 5],
  ]);
});

test.concurrent('nothing acknowledged is lost when the leader is killed, nothing is acknowledged without a majority, and the numbers add up', async () => {
  const child = start('consensus', '--fast', '--seed', '7');
  const { status, told } = await end(child);
  expect(told).toMatch(/^VALID {2}nothing is acknowledged while two of three are gone: 0 of \d+ writes acknowledged$/m);
  const phases = ['all three are healthy', 'the leader is killed', 'two of three are gone', 'all three are back'];
  // What was told at the end of each phase is what the table says of it, and the last line is the sum.
  const rows = [...phases, 'in all'].map((name) => {
    const [, numbers = ''] = new RegExp(`^${name} {2,}((?:\\d+ +){4})`, 'm').exec(told) ?? [];
    return numbers.trim().split(/ +/).map(Number) as [number, number, number, number];
  });
  const summed = told.matchAll(/(\d+) writes acknowledged, (\d+) refused, (\d+) unknown/g);
  expect([...summed].map(([, ...numbers]) => numbers.map(Number))).toEqual(
    rows.slice(0, 4).map((row) => row.slice(0, 3)),
  );
  const all = [0, 1, 2, 3].map((column) => rows.slice(0, 4).reduce((sum, row) => sum + (row[column] ?? 0), 0));
  expect(all).toEqual(rows[4]);
  const [acknowledged = 0, , unknown = 0, kept = 0] = all;
  expect(told).toContain(
    `finds ${acknowledged + kept} entries: ${acknowledged} of ${acknowledged} acknowledged, ${kept} of ${unknown} unknown`,
  );
  // And one read.
  expect(told).toContain(`VALID  no lost updates: ${acknowledged + unknown + 1} operations`);
  for (const row of [rows[0], rows[1], rows[3]]) expect(row?.[0]).toBeGreaterThanOrEqual(20);
  expect(rows[2]?.[0]).toBe(0);
  expect(status).toBe(0);
  expect(await leftBy(child)).toEqual([]);
});

test.concurrent('servers that do not agree lose what they acknowledged: both verdicts fail, with a picture of it', async () => {
  const file = fileFor('consensus.html');
  const { status, told } = await end(start('consensus', '--fast', '--seed', '7', '--sabotage', '--picture', file));
  expect(told).toContain('sabotage        the servers do not know of each other');
  expect(told).toMatch(/^INVALID {2}no lost updates: an add was lost of key \/ledger$/m);
  expect(told).toMatch(/^INVALID {2}nothing is acknowledged while two of three are gone: [1-9]/m);
  expect(told).toContain('Once more: npm run demo -- consensus --seed 7 --fast --sabotage');
  expect(status).toBe(1);
  expect(await readFile(file, 'utf8')).toContain('<svg');
  const history = await History.load(file.replace('.html', '.jsonl'));
  expect(check.noLostUpdates(history).result).toBe('invalid');
  expect(history.counts.faults).toEqual({ kill: 2 });
  // By construction: two servers have acknowledged what no other has, so whichever is read from, something is missing.
  expect(told.match(/has acknowledged writes by itself/g)).toHaveLength(2);
});

test.concurrent('Ctrl-C ends it at once, and leaves nothing', async () => {
  const child = start('consensus');
  await eventually('it has begun', () => child.told().includes('All three are healthy'));
  child.kill('SIGINT');
  expect((await end(child)).status).toBe(130);
  expect(await leftBy(child)).toEqual([]);
});
