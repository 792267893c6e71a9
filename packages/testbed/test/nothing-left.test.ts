import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { eventually, Testbed } from '../src/index.ts';
import { isFree } from '../src/processes/ports.ts';
import { Warden } from '../src/processes/warden.ts';
import { isAlive } from './alive.ts';
import { scratch, script } from './archives.ts';
import { ended, program, type Shown } from './program.ts';

afterEach(() => vi.unstubAllEnvs());

const servers = '{ redis: 2, zookeeper: 1 }';

async function expectNothingLeft({ folder, pids, ports }: Shown): Promise<void> {
  expect(pids).toHaveLength(3);
  await eventually('no process is left', () => pids.every((pid) => !isAlive(pid)), { within: 5_000 });
  await eventually('no folder is left', () => !existsSync(folder), { within: 5_000 });
  // A process that has been killed may look dead while some of its threads have not closed its sockets yet.
  for (const port of ports) await eventually('its port is free', () => isFree(port), { within: 5_000 });
}

/** The process ids of a group. */
async function membersOf(group: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,pgid=']);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return lines.flatMap(([pid = 0, pgid]) => (pgid === group ? [pid] : []));
}

/** The number that a program prints first. */
async function firstNumber({ stdout, stderr }: ChildProcess): Promise<number> {
  stderr?.resume();
  const [said] = await (stdout as Readable).setEncoding('utf8').take(1).toArray();
  return Number(said);
}

/** It does not know yet when this resolves. */
async function killWarden({ folder }: Testbed): Promise<void> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,args=']);
  const line = stdout.split('\n').find((text) => text.includes('quorate-warden') && text.includes(folder));
  process.kill(Number.parseInt(line ?? '', 10), 'SIGKILL');
}

async function expectNothingLeftWhenKilled(child: ReturnType<typeof program>): Promise<void> {
  const shown = await child.shown;
  child.kill('SIGKILL');
  await ended(child);
  await expectNothingLeft(shown);
}

describe('nothing is left behind', () => {
  // Those that change nothing of this process go on side by side.
  test.concurrent('after a normal end', async () => {
    const child = program(`await using bed = await Testbed.start(${servers}); show(bed);`);
    const shown = await child.shown;
    expect(await ended(child)).toBe(0);
    await expectNothingLeft(shown);
  });

  test.concurrent('by a program that forgets to stop the bed: it still ends, by itself', async () => {
    const child = program(`show(await Testbed.start(${servers}));`);
    const shown = await child.shown;
    expect(await ended(child)).toBe(0);
    await expectNothingLeft(shown);
  });

  test.concurrent('after an exception nobody catches', async () => {
    const child = program(`show(await Testbed.start(${servers})); throw new Error('a bug');`);
    const shown = await child.shown;
    expect(await ended(child)).toBe(1);
    await expectNothingLeft(shown);
  });

  test.concurrent.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
    'after %s to the program',
    async (signal) => {
      const child = program(`show(await Testbed.start(${servers})); setInterval(() => {}, 1_000);`);
      const shown = await child.shown;
      child.kill(signal);
      expect(await ended(child)).toBe(signal);
      await expectNothingLeft(shown);
    },
  );

  test.concurrent.each(['SIGINT', 'SIGKILL'] as const)(
    'of a launched program that stands still, after %s',
    async (signal) => {
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
    },
  );

  test.concurrent('after SIGKILL to the whole process group of the program', async () => {
    const child = program(`show(await Testbed.start(${servers})); setInterval(() => {}, 1_000);`);
    const shown = await child.shown;
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await ended(child);
    await expectNothingLeft(shown);
  });

  test.concurrent('of paused servers, after SIGKILL to the program', async () => {
    const child = program(`
      const bed = await Testbed.start(${servers});
      for (const server of bed.servers) await server.pause();
      show(bed);
      setInterval(() => {}, 1_000);
    `);
    await expectNothingLeftWhenKilled(child);
  });

  test.concurrent('of a paused PostgreSQL, whose processes have groups of their own, after SIGKILL to the program', async () => {
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
    await expectNothingLeftWhenKilled(child);
  });

  /** Each prints the process id of a child, and ends before it. */
  const parents: Record<string, string> = {
    'a program that has ended': 'sleep 307 & echo $!; exit 0',
    'a program that was killed': 'sleep 307 & echo $!; kill -KILL $$',
    // Nothing but its group tells whose the child is.
    'a program that clears its environment': 'exec env -i /bin/sh -c "sleep 307 & echo \\$!; exit 0"',
    // Elsewhere it would be left: nothing tells whose it is.
    ...(process.platform === 'linux' && {
      'a daemon, in a session of its own': 'setsid sh -c "sleep 307 & echo \\$!; exit 0" & wait',
    }),
  };

  test.concurrent.each(Object.entries(parents))('of %s', async (_what, script) => {
    await using bed = await Testbed.start({ redis: 1 });
    const launched = await bed.launch('sh', ['-c', script]);
    const [pid] = await Promise.all([firstNumber(launched), once(launched, 'exit')]);
    expect(isAlive(pid)).toBe(true);
    await bed.stop();
    await eventually('the child is gone', () => !isAlive(pid), { within: 5_000 });
  });

  test.concurrent('of programs that have ended, after SIGKILL to the program that has the bed', async () => {
    const child = program(`
      const bed = await Testbed.start({ redis: 1 });
      const start = async (script) => {
        const launched = await bed.launch('sh', ['-c', script]);
        const gone = new Promise((resolve) => launched.once('exit', resolve));
        const [said] = await launched.stdout.setEncoding('utf8').take(1).toArray();
        await gone;
        return { pid: Number(said), address: '' };
      };
      const children = await Promise.all(${JSON.stringify(Object.values(parents))}.map(start));
      show({ folder: bed.folder, servers: [...bed.servers, ...children] });
      setInterval(() => {}, 1_000);`);
    const { pids } = await child.shown;
    expect(pids.filter(isAlive)).toHaveLength(1 + Object.keys(parents).length);
    child.kill('SIGKILL');
    await ended(child);
    await eventually('no process is left', () => !pids.some(isAlive), { within: 5_000 });
  });

  test.concurrent('of a server that died and left a child', async () => {
    await using bed = await Testbed.start({ redis: 1 });
    const { primary } = bed.redis;
    const group = primary.pid ?? 0;
    // Redis copies itself to write its file: the copy sleeps, so that it is there when its parent is killed.
    const redis = new Redis(bed.redis.url);
    await redis.call('CONFIG', 'SET', 'rdb-key-save-delay', '100000000');
    await redis.mset('a', 1, 'b', 2);
    await redis.bgsave();
    redis.disconnect();
    const members = await eventually('it has a child', async () => {
      const pids = await membersOf(group);
      return pids.length === 2 ? pids : undefined;
    });
    process.kill(group, 'SIGKILL');
    await eventually('it has died', () => primary.state === 'died');
    await eventually('its child is gone', () => !members.some(isAlive), { within: 5_000 });
    await primary.restart();
  });

  test.each([
    ['has other programs for rm and sleep', 'exit 0'],
    ['is empty', undefined],
  ])('when PATH %s', async (_what, fake) => {
    await using place = await scratch();
    const bin = join(place.folder, 'bin');
    if (fake) for (const tool of ['rm', 'sleep', 'grep']) await script(join(bin, tool), fake);
    vi.stubEnv('PATH', fake ? `${bin}:${process.env.PATH}` : '');
    await using warden = await Warden.open(await mkdtemp(join(place.folder, 'bed-')));
    await warden.close();
    expect(existsSync(warden.folder)).toBe(false);
  });

  test('of what is launched when the bed has been stopped: it is refused', async () => {
    const bed = await Testbed.start();
    await bed.stop();
    await expect(bed.launch('sleep', ['307'])).rejects.toMatchObject({ code: 'bed-stopped' });
  });

  test('of what is launched while its warden is being closed', async () => {
    await using place = await scratch();
    const warden = await Warden.open(join(place.folder, 'bed'));
    const launch = warden.launch({ command: 'sleep', args: ['307'], cwd: place.folder, output: 'pipe' });
    const refused = expect(launch).rejects.toMatchObject({ code: 'bed-stopped' });
    await warden.close();
    await refused;
  });

  test('when its warden was killed: nothing more is launched, and a stop ends what was', async () => {
    const bed = await Testbed.start();
    // Nothing but its group tells whose it is.
    const launch = (): Promise<ChildProcess> => bed.launch('env', ['-i', 'sleep', '307']);
    const launched = [await launch()];
    await killWarden(bed);
    const refusal = await eventually('a launch is refused', async () => {
      try {
        launched.push(await launch());
      } catch (error) {
        return error;
      }
      return undefined;
    });
    expect(refusal).toMatchObject({ code: 'warden-ended', message: expect.stringContaining('stop the bed') });
    const own = bed.run({ name: 'own', command: 'sleep', args: ['307'], ports: 0, ready: () => true });
    await expect(own).rejects.toMatchObject({ code: 'warden-ended' });
    await bed.stop();
    await eventually('no process is left', () => !launched.some(({ pid }) => isAlive(pid ?? 0)), { within: 5_000 });
    expect(existsSync(bed.folder)).toBe(false);
    await expect(launch()).rejects.toMatchObject({ code: 'bed-stopped' });
  });

  test('when its warden is killed as it is to do its work', async () => {
    const bed = await Testbed.start();
    const { pid = 0 } = await bed.launch('sleep', ['307']);
    await killWarden(bed);
    await bed.stop();
    await eventually('no process is left', () => !isAlive(pid), { within: 5_000 });
    expect(existsSync(bed.folder)).toBe(false);
  });

  test('of folders that a server has made read-only, which does not hide why it did not start', async ({ skip }) => {
    const source = `
      import { existsSync } from 'node:fs';
      import { Testbed } from '@quorate/testbed';
      const bed = await Testbed.start();
      const own = (name, then) => bed.run({
        name, command: 'sh', args: ['-c', 'mkdir -p a/b; touch a/b/c; chmod -R a-w a; chmod 0 a/b; ' + then], ports: 0, ready: { log: /up/ },
      });
      const error = await own('failing', 'echo the reason; exit 3').catch((error) => error);
      const removed = !existsSync(bed.folder + '/failing');
      await own('well', 'echo up; exec sleep 307');
      await bed.stop();
      console.log(error.message.includes('the reason'), removed, !existsSync(bed.folder));`;
    const node = [process.execPath, '--conditions=@quorate/source', '--input-type=module', '-e', source];
    const isRoot = process.getuid?.() === 0;
    if (isRoot && process.platform !== 'linux') skip('root removes any folder, and cannot give that up here');
    // Root without capabilities is refused as everybody else is.
    const setpriv = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all'];
    const [command = '', ...args] = isRoot ? [...setpriv, ...node] : node;
    const { stdout } = await promisify(execFile)(command, args, { cwd: import.meta.dirname, timeout: 30_000 });
    expect(stdout).toBe('true true true\n');
  });

  test('where TMPDIR is relative', async () => {
    await using place = await scratch();
    vi.stubEnv('TMPDIR', relative(process.cwd(), place.folder));
    const bed = await Testbed.start();
    expect(isAbsolute(bed.folder)).toBe(true);
    expect(await readdir(place.folder)).toHaveLength(1);
    await bed.stop();
    expect(await readdir(place.folder)).toEqual([]);
  });

  test('after SIGKILL as soon as the folder is there', async () => {
    await using place = await scratch();
    for (let round = 0; round < 3; round += 1) {
      const folder = await mkdtemp(join(place.folder, 'round-'));
      const child = program('await Testbed.start(); setInterval(() => {}, 1_000);', { TMPDIR: folder });
      const status = ended(child);
      // Node reports it a little late: looking at it in a loop does not.
      const until = Date.now() + 10_000;
      while (Date.now() < until && readdirSync(folder).length === 0);
      expect(readdirSync(folder)).toHaveLength(1);
      child.kill('SIGKILL');
      expect(await status).toBe('SIGKILL');
      await eventually('no folder is left', () => readdirSync(folder).length === 0, { within: 5_000 });
    }
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
