import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { eventually, Testbed } from '../src/index.ts';
import { isFree } from '../src/processes/ports.ts';
import { scratch } from './archives.ts';
import { ended, program, type Shown } from './program.ts';

afterEach(() => vi.unstubAllEnvs());

const servers = '{ redis: 2, zookeeper: 1 }';

async function expectNothingLeft({ folder, pids, ports }: Shown): Promise<void> {
  expect(pids).toHaveLength(3);
  await eventually('no process is left', () => pids.every((pid) => !isAlive(pid)), { within: 5_000 });
  await eventually('no folder is left', () => !existsSync(folder), { within: 5_000 });
  for (const port of ports) expect(await isFree(port)).toBe(true);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('nothing is left behind', () => {
  test('after a normal end', async () => {
    const child = program(`await using bed = await Testbed.start(${servers}); show(bed);`);
    const shown = await child.shown;
    expect(await ended(child)).toBe(0);
    await expectNothingLeft(shown);
  });

  test('by a program that forgets to stop the bed: it still ends, by itself', async () => {
    const child = program(`show(await Testbed.start(${servers}));`);
    const shown = await child.shown;
    expect(await ended(child)).toBe(0);
    await expectNothingLeft(shown);
  });

  test('after an exception nobody catches', async () => {
    const child = program(`show(await Testbed.start(${servers})); throw new Error('a bug');`);
    const shown = await child.shown;
    expect(await ended(child)).toBe(1);
    await expectNothingLeft(shown);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)('after %s to the program', async (signal) => {
    const child = program(`show(await Testbed.start(${servers})); setInterval(() => {}, 1_000);`);
    const shown = await child.shown;
    child.kill(signal);
    expect(await ended(child)).toBe(signal);
    await expectNothingLeft(shown);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('of a launched program that stands still, after %s', async (signal) => {
    const child = program(`
      const bed = await Testbed.start({ redis: 2 });
      const launched = await bed.launch('/bin/sh', ['-c', 'echo $0 $1; kill -STOP $$', 'one', 'two words']);
      launched.stderr.resume();
      const [said] = await launched.stdout.setEncoding('utf8').take(1).toArray();
      if (said !== 'one two words\\n') throw new Error(said);
      show({ folder: bed.folder, servers: [...bed.servers, { pid: launched.pid, address: bed.servers[0].address }] });
      setInterval(() => {}, 1_000);`);
    const shown = await child.shown;
    child.kill(signal);
    expect(await ended(child)).toBe(signal);
    await expectNothingLeft(shown);
  });

  test('after SIGKILL to the whole process group of the program', async () => {
    const child = program(`show(await Testbed.start(${servers})); setInterval(() => {}, 1_000);`);
    const shown = await child.shown;
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await ended(child);
    await expectNothingLeft(shown);
  });

  test('of paused servers, after SIGKILL to the program', async () => {
    const child = program(`
      const bed = await Testbed.start(${servers});
      for (const server of bed.servers) await server.pause();
      show(bed);
      setInterval(() => {}, 1_000);
    `);
    const shown = await child.shown;
    child.kill('SIGKILL');
    await ended(child);
    await expectNothingLeft(shown);
  });

  test('of a paused PostgreSQL, whose processes have groups of their own, after SIGKILL to the program', async () => {
    const child = program(`
      const { execFileSync } = await import('node:child_process');
      const bed = await Testbed.start({ postgres: true });
      const { pid, address } = bed.postgres.server;
      const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\\n');
      const children = table.map((line) => line.trim().split(/ +/).map(Number)).filter(([, parent]) => parent === pid);
      await bed.postgres.server.pause();
      show({ folder: bed.folder, servers: [pid, ...children.map(([child]) => child)].slice(0, 3).map((pid) => ({ pid, address })) });
      setInterval(() => {}, 1_000);
    `);
    const shown = await child.shown;
    child.kill('SIGKILL');
    await ended(child);
    await expectNothingLeft(shown);
  });

  test('when one of several servers fails to start', async () => {
    await using place = await scratch();
    vi.stubEnv('TMPDIR', place.folder);
    const bad = { redis: { config: { 'no-such-setting': 'x' } }, zookeeper: 3 } as const;
    await expect(Testbed.start(bad)).rejects.toMatchObject({ code: 'server-failed', server: 'redis-1' });
    expect(await readdir(place.folder)).toEqual([]);
  });

  // 40 moments, spread over the time a start takes, the first ones close together: the steps there are short.
  test.each(Array.from({ length: 8 }, (_, round) => round))('when it is aborted at any moment (%i)', async (round) => {
    await using place = await scratch();
    vi.stubEnv('TMPDIR', place.folder);
    for (let step = 0; step < 5; step += 1) {
      const after = Math.round((round * 5 + step) ** 2 * 0.6);
      const signal = AbortSignal.timeout(after);
      const outcome = await Testbed.start({ redis: 2, zookeeper: 1 }, { signal }).then(
        (bed) => bed.stop().then(() => 'ready'),
        (error: Error) => error.name,
      );
      expect(['ready', 'TimeoutError'], `aborted after ${after} ms`).toContain(outcome);
      expect(await readdir(place.folder), `aborted after ${after} ms`).toEqual([]);
    }
  });
});
