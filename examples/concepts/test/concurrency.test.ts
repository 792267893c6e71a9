import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { check, eventually, History } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { Counter } from '../concurrency/counter.ts';
import { Till } from '../concurrency/till.ts';
import { end, fileFor, inOwnFolder, leftBy, type Playing, play, start } from './quorate-demo.ts';

inOwnFolder();

/** read(1) read(2) write(1) write(2): the order in which a token that only writes show is of no use. */
async function interleaved({ tokenOnReads }: { readonly tokenOnReads: boolean }): Promise<History> {
  await using till = await Till.open({ fences: true });
  const counter = new Counter(till.url, 'rides');
  const history = new History();
  const [old, next] = [1n, 2n].map((token) => ({ token, name: `holder-${token}` })) as [Holder, Holder];
  const begin = async ({ name, token }: Holder) => {
    const add = history.invoke(name, 'add', { key: 'rides', by: 1, token });
    const number = await counter.read(tokenOnReads ? token : undefined);
    return async () => {
      await counter.write(number + 1, token).then(
        () => add.ok(number + 1),
        (error) => add.failed(error),
      );
    };
  };
  const writes = [await begin(old), await begin(next)];
  for (const write of writes) await write();
  await history.run('auditor', 'read', { key: 'rides' }, () => counter.read());
  return history;
}

interface Holder {
  readonly name: string;
  readonly token: bigint;
}

test('a token that only writes show loses an add, and the tokens alone do not tell; with the read it loses none', async () => {
  const onWrites = await interleaved({ tokenOnReads: false });
  expect(onWrites.operations.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok']);
  expect(check.noLostUpdates(onWrites)).toMatchObject({ result: 'invalid', summary: 'an add was lost of key rides' });
  expect(check.tokensIncrease(onWrites).result).toBe('unknown');

  const onBoth = await interleaved({ tokenOnReads: true });
  expect(onBoth.operations.map(({ outcome }) => outcome)).toEqual(['failed', 'ok', 'ok']);
  expect(onBoth.operations[0]?.error).toContain('the till has seen a larger token than 1');
  expect(check.noLostUpdates(onBoth).result).toBe('valid');
});

test.concurrent('a paused holder of a lock undoes the adds of others, unless reads and writes show the till its token', async () => {
  const { status, report, left } = await play('concurrency', '--fast', '--seed', '7');
  expect(report.verdicts.map(({ result }) => result)).toEqual(['valid', 'valid']);
  const [bare, locked, paused, halfFenced, fenced] = report.rows;
  expect(bare?.lost).toBeGreaterThanOrEqual(2);
  expect(locked).toMatchObject({ lost: 0 });
  // Three clerks add six each while dora stands still. Then she writes what she would have written before them.
  expect(paused).toMatchObject({ acknowledged: 21, 'the counter says': 3, lost: 18 });
  expect(halfFenced).toMatchObject({ acknowledged: 21, refused: 0, lost: 1, 'tokens increase': 'yes' });
  expect(fenced).toMatchObject({ acknowledged: 21, 'the counter says': 21, lost: 0, 'tokens increase': 'yes' });
  expect(fenced?.refused).toBeGreaterThan(0);
  expect(status).toBe(0);
  expect(left).toEqual([]);
});

test.concurrent('a till that does not look at the token loses updates: the verdict fails, with a picture of it', async () => {
  const file = fileFor('concurrency.html');
  const { status, told } = await end(start('concurrency', '--fast', '--seed', '7', '--sabotage', '--picture', file));
  expect(told).toContain('sabotage        the till accepts the token and does not check it');
  expect(told).toMatch(/^INVALID {2}no lost updates: an add was lost of key fenced/m);
  expect(told).toMatch(/^INVALID {2}linearizable as a counter/m);
  expect(status).toBe(1);
  expect(await readFile(file, 'utf8')).toContain('A token that is not checked');
  const history = await History.load(file.replace('.html', '.jsonl'));
  expect(history.counts.faults).toEqual({ pause: 1 });
  expect(check.noLostUpdates(history).result).toBe('invalid');
});

test.concurrent('SIGINT and SIGKILL while dora stands still leave nothing of her', async () => {
  const ended = async (signal: 'SIGINT' | 'SIGKILL', status: number | string): Promise<void> => {
    // With the sabotage she is there at once.
    const child = start('concurrency', '--fast', '--sabotage');
    await eventually('dora stands still', () => child.told().includes('is stopped (SIGSTOP)'));
    const dora = await eventually('her process', () => pidOfDora(child));
    child.kill(signal);
    expect((await end(child)).status).toBe(status);
    await eventually('she is gone', () => !isAlive(dora), { within: 5_000 });
    await eventually('no bed is left', async () => (await leftBy(child)).length === 0, { within: 5_000 });
  };
  await Promise.all([ended('SIGINT', 130), ended('SIGKILL', 'SIGKILL')]);
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
