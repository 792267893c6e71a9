import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, vi } from 'vitest';
import { eventually, faultSchedule, History, type OwnServerOptions, playFaults, Testbed } from '../src/index.ts';
import { isFree } from '../src/processes/ports.ts';
import { bedTest } from '../src/vitest.ts';
import { isAlive } from './alive.ts';
import { scratch } from './archives.ts';
import { ended, program } from './program.ts';

/** Counts what it is POSTed in a file, answers GET with the count, and has a second port that only accepts. */
const source = `
import { createServer } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
const [http, admin] = process.argv.slice(2);
const count = () => { try { return Number(readFileSync('count', 'utf8')); } catch { return 0; } };
createServer((request, response) => {
  if (request.method === 'POST') writeFileSync('count', String(count() + 1));
  response.end(count() + ' ' + process.env.GREETING);
}).listen(Number(http), '127.0.0.1', () => console.log('serving since', Date.now()));
if (admin) createServer(() => {}).listen(Number(admin), '127.0.0.1');
`;

const counter = {
  command: process.execPath,
  args: ({ port, ports }: { port: number; ports: object }): string[] => [
    'counter.mjs',
    ...Object.values(ports)
      .map(String)
      .slice(0, port === 0 ? 0 : 2),
  ],
  env: { GREETING: 'hello' },
  files: { 'counter.mjs': source },
} satisfies Partial<OwnServerOptions>;

const test = bedTest({});
const ask = async (port: number, method = 'GET'): Promise<string> => {
  const signal = AbortSignal.timeout(5_000);
  return (await fetch(`http://127.0.0.1:${port}/`, { method, signal, headers: { connection: 'close' } })).text();
};

/** Whether a bed holds a port, by the UDP socket that stands for it. */
async function isClaimed(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind({ port: port + 10_240, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    return false;
  } catch {
    return true;
  } finally {
    socket.close();
  }
}

describe('a server of your own', () => {
  test('is killed and comes back with the same data, on the same ports', async ({ bed }) => {
    const own = await bed.run({ ...counter, name: 'counter', ports: ['http', 'admin'], ready: { http: '/' } });
    expect(bed.server('counter')).toBe(own);
    expect(bed.servers).toEqual([own]);
    expect(own.port).toBe(own.ports.http);
    expect(own.address).toBe(`127.0.0.1:${own.ports.http}`);
    expect(await ask(own.port, 'POST')).toBe('1 hello');
    const { pid } = own;
    await own.kill();
    expect(await own.health()).toEqual({ status: 'fail', detail: 'killed' });
    await own.restart();
    expect(own.pid).not.toBe(pid);
    expect(await ask(own.ports.http)).toBe('1 hello');
    expect((await bed.health()).status).toBe('pass');
    expect(await own.log()).toHaveLength(2);
  });

  test('is paused, slowed and reached through a link like the others', async ({ bed }) => {
    const own = bed.server('counter');
    await own.pause();
    expect((await bed.health()).status).toBe('fail');
    await own.resume();
    await own.slow({ duty: 0.5 });
    expect(own.isSlow).toBe(true);
    await bed.heal();
    const link = bed.link('client', 'counter');
    const port = Number((await link.address).split(':')[1]);
    expect(await ask(port)).toBe('1 hello');
    await link.set({ refuse: true });
    await expect(ask(port)).rejects.toThrow('fetch failed');
    await bed.heal();
  });

  test('may have a link to another one, and a partition between them', async ({ bed }) => {
    const other = await bed.run({ ...counter, name: 'other', ready: { tcp: true } });
    expect(other.ports).toEqual([other.port]);
    const port = Number((await bed.link('counter', 'other').address).split(':')[1]);
    expect(await ask(port)).toBe('0 hello');
    expect(bed.neighbours(other).map(({ name }) => name)).toEqual(['counter']);
    const split = await bed.partition(['counter'], ['other']);
    let answered = false;
    const asked = ask(port).finally(() => {
      answered = true;
    });
    // As long as it takes the other one to answer by its own address.
    for (let count = 0; count < 5; count += 1) expect(await ask(other.port)).toBe('0 hello');
    expect(answered).toBe(false);
    await split.heal();
    expect(await asked).toBe('0 hello');
  });

  test('is struck by a schedule, by its name', async ({ bed }) => {
    const history = new History();
    const faults = [{ kind: 'kill', targets: ['counter'] }];
    const schedule = faultSchedule(7, { length: 200, faults, pause: [10, 20], duration: [30, 60] });
    expect(schedule.faults.length).toBeGreaterThan(1);
    await playFaults(schedule, bed, history);
    expect(bed.server('counter').state).toBe('running');
    expect(history.events.filter(({ type }) => type === 'fault').length).toBeGreaterThan(0);
  });

  test('is ready when it has logged so, since this start', async ({ bed }) => {
    const script = 'sleep 0.1; echo "$1: ready to serve"; exec sleep 600';
    const own = await bed.run({
      name: 'worker',
      command: 'sh',
      args: ({ folder }) => ['-c', script, 'worker', folder],
      ports: 0,
      ready: { log: /^\S+: ready to serve$/g },
    });
    expect(own).toMatchObject({ address: '', port: 0, ports: [] });
    expect(await own.health()).toEqual({ status: 'pass' });
    expect(await own.log()).toEqual([`${own.folder}: ready to serve`]);
    await own.restart();
    expect(await own.logged()).toBe(`${own.folder}: ready to serve\n`);
    expect(await own.log()).toHaveLength(2);
  });

  test('begins with the content of a folder, on a port that you choose, ready by your own question', async ({
    bed,
  }) => {
    await using place = await scratch();
    await mkdir(join(place.folder, 'inner'));
    await writeFile(join(place.folder, 'inner', 'count'), '41');
    const port = bed.server('other').address;
    await bed.server('other').stop();
    const own = await bed.run({
      ...counter,
      name: 'filled',
      folder: join(place.folder, 'inner'),
      ports: { http: Number(port.split(':')[1]), admin: 0 },
      ready: async (signal, { ports }) => (await fetch(`http://127.0.0.1:${ports.http}/`, { signal })).ok,
    });
    expect(own.address).toBe(port);
    expect(own.ports.admin).not.toBe(0);
    expect(await ask(own.port)).toBe('41 hello');
    await own.stop();
    await bed.server('other').start();
  });

  test('writes into its copy of a folder, never into the folder', async ({ bed }) => {
    await using place = await scratch();
    await mkdir(join(place.folder, 'v1'));
    await writeFile(join(place.folder, 'v1', 'state'), 'original');
    await symlink('v1', join(place.folder, 'current'));
    const own = await bed.run({
      name: 'writer',
      command: 'sh',
      args: ['-c', 'echo changed >current/state; echo ready; exec sleep 600'],
      ports: 0,
      folder: place.folder,
      ready: { log: /ready/ },
    });
    expect(await readFile(join(place.folder, 'v1', 'state'), 'utf8')).toBe('original');
    expect(await readFile(join(own.folder, 'v1', 'state'), 'utf8')).toBe('changed\n');
    await own.kill();
  });

  test('keeps its name while it starts, also when others were refused it', async ({ bed }) => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const controller = new AbortController();
    const sleeper = { name: 'sleeper', command: 'sleep', args: ['600'], ports: 0 } as const;
    const never = (): boolean => {
      ask();
      return false;
    };
    const first = bed.run({ ...sleeper, ready: never }, { signal: controller.signal });
    const outcome = expect(first).rejects.toThrow('no longer wanted');
    await asked;
    for (let other = 0; other < 2; other += 1) {
      await expect(bed.run({ ...sleeper, ready: () => true })).rejects.toThrow('a name that is not used in this bed');
    }
    expect(() => bed.introduce('sleeper', 9_090)).toThrow('a name that no server of the bed has');
    controller.abort(new Error('no longer wanted'));
    await outcome;
    const again = await bed.run({ ...sleeper, ready: () => true });
    await again.kill();
  });

  test('may have a file or a folder of any name', async ({ bed }) => {
    const files = { 'log/own.log': 'its own' };
    const ready = { log: /serving/ };
    const own = await bed.run({
      name: 'a',
      command: 'sh',
      args: ['-c', 'echo serving; exec sleep 600'],
      ports: 0,
      files,
      ready,
    });
    expect(await readFile(join(own.folder, 'log', 'own.log'), 'utf8')).toBe('its own');
    expect(await own.log()).toEqual(['serving']);
    await own.kill();
  });

  test.for(['file', 'link', 'files'] as const)(
    'may have a %s called tmp, and a link for its folder',
    async (what, { bed }) => {
      await using place = await scratch();
      await mkdir(join(place.folder, 'real'));
      await symlink('real', join(place.folder, 'folder'));
      const tmp = join(place.folder, 'real', 'tmp');
      if (what === 'file') await writeFile(tmp, 'its own');
      if (what === 'link') await symlink('nowhere', tmp);
      const own = await bed.run({
        name: `with-tmp-${what}`,
        command: 'sh',
        args: ['-c', 'mktemp -d; exec sleep 600'],
        ports: 0,
        folder: join(place.folder, 'folder'),
        files: what === 'files' ? { tmp: 'its own' } : {},
        ready: { log: /./ },
      });
      const its = join(own.folder, 'tmp');
      expect(await (what === 'link' ? readlink(its) : readFile(its, 'utf8'))).toBe(
        what === 'link' ? 'nowhere' : 'its own',
      );
      // What it makes there goes with it.
      expect((await own.log())[0]).toContain(own.folder);
      await own.kill();
    },
  );

  test.skipIf(process.platform !== 'linux')('leaves no daemon when it fails to start', async ({ bed }) => {
    const before = await readdir(bed.folder);
    const failing = bed.run({
      name: 'with-daemon',
      command: 'sh',
      // The daemon has left its group by the time it says who it is.
      args: [
        '-c',
        'setsid sh -c "echo daemon \\$\\$ >said; exec sleep 600" & until [ -s said ]; do sleep 0.01; done; cat said; exit 1',
      ],
      ports: 0,
      ready: () => false,
    });
    const error = (await failing.catch((error) => error)) as Error;
    const pid = Number(/daemon (\d+)/.exec(error.message)?.[1]);
    expect(pid).toBeGreaterThan(0);
    expect(isAlive(pid)).toBe(false);
    expect(await readdir(bed.folder)).toEqual(before);
  });

  describe('behind a shell', () => {
    /** Needs 300 ms to finish when it is asked to end. */
    const slow = `
      process.on('SIGTERM', () => setTimeout(() => {
        require('node:fs').writeFileSync('finished', ''); process.exit();
      }, Number(process.argv[2])));
      console.log('ready', process.pid);
      setInterval(() => {}, 1_000);`;
    const wrapped = (name: string, takes: number) => ({
      name,
      command: 'sh',
      args: ['-c', `"$0" slow.cjs ${takes} & wait`, process.execPath],
      ports: 0 as const,
      files: { 'slow.cjs': slow },
      ready: { log: /ready/ },
    });

    test('may finish within the grace of a stop', async ({ bed }) => {
      const own = await bed.run(wrapped('finishing', 300));
      await own.stop();
      expect(existsSync(join(own.folder, 'finished'))).toBe(true);
    });

    test('is killed when the grace is over, or by a kill in the meantime', async ({ bed }) => {
      const own = await bed.run(wrapped('endless', 600_000));
      const pid = async (): Promise<number> => Number(/ready (\d+)/.exec(await own.logged())?.[1]);
      const first = await pid();
      expect(isAlive(first)).toBe(true);
      await own.stop({ grace: 100 });
      expect(isAlive(first)).toBe(false);
      await own.start();
      const second = await pid();
      const stopping = own.stop({ grace: 600_000 });
      await eventually('its shell has ended', () => own.pid === undefined);
      await own.kill();
      await stopping;
      expect(isAlive(second)).toBe(false);
    });
  });

  test.skipIf(process.platform !== 'linux').for(['stop', 'kill'] as const)(
    'takes along, at its %s, a child in a group of its own that does not listen',
    async (how, { bed }) => {
      const own = await bed.run({
        name: `with-child-${how}`,
        command: 'sh',
        args: ['-c', `setsid sh -c 'trap "" TERM; echo child $$; exec sleep 600' & wait`],
        ports: 0,
        ready: { log: /child/ },
      });
      const child = Number(/child (\d+)/.exec(await own.logged())?.[1]);
      expect(isAlive(child)).toBe(true);
      await own[how]();
      expect(isAlive(child)).toBe(false);
    },
  );

  test('says what it said when it does not start, and leaves nothing', async ({ bed }) => {
    const before = bed.servers.length;
    const ports: number[] = [];
    const failing = bed.run({
      name: 'failing',
      command: 'sh',
      args: ({ port }) => {
        ports.push(port);
        return ['-c', 'echo no such database; exit 3'];
      },
      ready: { tcp: true },
    });
    await expect(failing).rejects.toThrow(/^failing died while starting\. .*\n {2}\| no such database$/);
    await expect(failing).rejects.toMatchObject({ code: 'server-failed', server: 'failing' });
    expect(bed.servers).toHaveLength(before);
    expect(existsSync(join(bed.folder, 'failing'))).toBe(false);
    expect(await isClaimed(ports[0] ?? 0)).toBe(false);
    const again = await bed.run({ ...counter, name: 'failing', ready: { tcp: true } });
    await again.kill();
  });

  test('must be told ready by true: what is neither true nor nothing is refused, and not taken for its death', async ({
    bed,
  }) => {
    const odd = { name: 'odd', command: 'sleep', args: ['600'], ready: () => 'yes' };
    const refused = bed.run(odd as unknown as OwnServerOptions);
    await expect(refused).rejects.toThrow("ready: expected a function that gives true or false, got 'yes'");
    await expect(refused).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(existsSync(join(bed.folder, 'odd'))).toBe(false);
  });

  test('leaves nothing when it is aborted', async ({ bed }) => {
    const controller = new AbortController();
    let started = 0;
    const own = bed.run(
      {
        name: 'never',
        command: 'sh',
        args: ['-c', 'echo $$ > pid; exec sleep 600'],
        ready: async (_signal, { folder }) => {
          if (existsSync(join(folder, 'pid'))) started = Number(await readdir(folder).then((names) => names.length));
          if (started > 0) controller.abort(new Error('no longer wanted'));
          // Its answer comes too late.
          return started > 0;
        },
      },
      { signal: controller.signal },
    );
    await expect(own).rejects.toThrow('no longer wanted');
    expect(existsSync(join(bed.folder, 'never'))).toBe(false);
    expect(bed.servers.map(({ name }) => name)).not.toContain('never');
  });

  test.for<[object, string | RegExp]>([
    [{ name: '../up' }, "name: expected a name: letters, digits, dots, hyphens and underscores, got '../up'"],
    [{ name: 'counter' }, "name: expected a name that is not used in this bed, got 'counter'"],
    [
      { command: 'no-such-program' },
      "command: expected a program on PATH, or the path of an executable file, got 'no-",
    ],
    [{ command: '/etc/passwd' }, 'command: expected a program on PATH'],
    [{ args: 'x' }, "args: expected a list of strings, or a function that returns one, got 'x'"],
    [{ args: () => [1] }, 'args: expected a list of strings'],
    [{ env: { TOKEN: 42 } }, /^env\.TOKEN: expected a string$/],
    [{ ports: -1 }, 'ports: expected a number of ports'],
    [{ ports: ['a', 'a'] }, 'ports: expected a number of ports'],
    [{ ports: { http: 70_000 } }, 'ports: expected a number of ports'],
    [{ ports: { http: 9_377, admin: 9_377 } }, 'ports: expected a number of ports'],
    [{ ready: undefined }, 'ready: expected a function that checks the server'],
    [{ ready: { http: 'health' } }, 'ready: expected a function'],
    [{ ready: { http: '/', tcp: true } }, 'ready: expected a function'],
    [{ ready: { tcp: true, port: 'admin' } }, "ready.port: expected one of 0, got 'admin'"],
    [{ ready: { tcp: true }, ports: 0 }, 'ready: expected a function, or { log: /a line/ }: this server has no port'],
    [{ ready: { log: 'ready' } }, 'ready: expected a function'],
    [{ files: { '../x': '' } }, "files: expected paths inside the server's folder, got '../x'"],
    [{ folder: '/no/such/folder' }, 'folder: expected an existing folder'],
    [{ cwd: '/no/such/folder' }, 'cwd: expected an existing folder'],
    [{ startWithin: 0 }, 'startWithin: expected a number of milliseconds above 0, got 0'],
    [
      { port: 80 },
      "server: expected one of the options name, command, args, env, ports, ready, files, folder, cwd, startWithin, got 'port'",
    ],
  ])('%j is refused before anything is touched', async ([bad, message], { bed }) => {
    const before = { folders: await readdir(bed.folder), servers: bed.servers };
    const options = { name: 'bad', command: 'sleep', args: ['600'], ready: { tcp: true }, ...bad };
    const refused = bed.run(options as unknown as OwnServerOptions);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject({ code: 'invalid-argument' });
    expect({ folders: await readdir(bed.folder), servers: bed.servers }).toEqual(before);
  });
});

test('the bed stops while one starts: it is given up, and nothing is left', async () => {
  await using place = await scratch();
  vi.stubEnv('TMPDIR', place.folder);
  const bed = await Testbed.start({});
  const well = await bed.run({ name: 'well', command: 'sleep', args: ['600'], ready: () => true });
  expect(await isClaimed(well.port)).toBe(true);
  let port = 0;
  const own = bed.run({
    name: 'slow',
    command: 'sleep',
    args: ['600'],
    ready: (_signal, at) => {
      port = at.port;
      return false;
    },
  });
  const outcome = expect(own).rejects.toMatchObject({ code: 'bed-stopped' });
  await eventually('it has been launched', () => port > 0);
  await bed.stop();
  await outcome;
  expect(await readdir(place.folder)).toEqual([]);
  expect(await isFree(port)).toBe(true);
  for (const own of [well.port, port]) expect(await isClaimed(own)).toBe(false);
  await expect(bed.run({ name: 'late', command: 'sleep', ready: { tcp: true } })).rejects.toThrow('has been stopped');
  vi.unstubAllEnvs();
});

test('a question that is never answered fails the start of a program that does nothing else, and does not end it', async () => {
  const asks = program(`
    await using bed = await Testbed.start({});
    show(bed);
    const never = () => new Promise(() => {});
    const options = { name: 'mute', command: 'sleep', args: ['600'], ready: never, startWithin: 600 };
    await bed.run(options).catch(({ code }) => console.error('caught', code));
  `);
  await asks.shown;
  expect([await ended(asks), asks.errors()]).toEqual([0, 'caught server-failed\n']);
});

test('with a disk of its own, one that fails leaves neither a folder nor whoever kept the disk', async ({ skip }) => {
  if (process.platform !== 'linux') skip('a disk of its own takes Linux');
  await using bed = await Testbed.start({}, { disk: 8 });
  let home = '';
  const failing = bed.run({
    name: 'failing',
    command: 'sh',
    args: ({ folder }) => {
      home = folder;
      return ['-c', 'exit 3'];
    },
    ready: { tcp: true },
  });
  await expect(failing).rejects.toMatchObject({ code: 'server-failed' });
  const keepers = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  expect(keepers.filter((line) => line.includes(home))).toEqual([]);
  expect(await readdir(bed.folder)).toEqual([]);
});
