import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { cacheFolder, eventually, type Inventory } from '@quorate/testbed';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { faultKinds } from '../src/fault-order.ts';
import { runs } from './processes.ts';
import { beds, call, inOwnFolder, outcome, ownCache, quorate, run } from './quorate.ts';

inOwnFolder();

describe('quorate', () => {
  test('as a process: exit status, standard output and standard error are those of the command', async () => {
    expect(await run(['--version'])).toEqual({ status: 0, out: '0.1.0\n', err: '' });
    expect(await run(['runn'])).toEqual({ status: 2, out: '', err: expect.stringContaining("unknown command 'runn'") });
  });

  test.each([['status'], ['status', '--all'], ['down'], ['down', '--all'], ['logs'], ['up', '--redis', '1']])(
    '%s with a cache that cannot be used says so, and no more: status 1',
    async (...command) => {
      vi.stubEnv('QUORATE_CACHE', '/dev/null/x');
      onTestFinished(() => void vi.unstubAllEnvs());
      expect(await call(command)).toEqual({
        status: 1,
        out: '',
        err: 'quorate: the cache /dev/null/x cannot be used (ENOTDIR). Set QUORATE_CACHE to a folder that can.\n',
      });
    },
  );

  // Node's own way to make it never ends.
  test.skipIf(process.platform !== 'linux').each([
    ['up', '--redis', '1'],
    ['run', '--redis', '1', '--', 'true'],
  ])('%s with a cache that nobody can make says so: status 1', async (...command) => {
    const { status, err } = await run(command, { QUORATE_CACHE: '/proc/none', PATH: '/nowhere' });
    expect({ status, err }).toEqual({
      status: 1,
      err: expect.stringContaining(
        'the cache /proc/none cannot be used (ENOENT). Set QUORATE_CACHE to a folder that can.',
      ),
    });
  });

  test('run without a folder for temporary files says so, and no more: status 1', async () => {
    vi.stubEnv('TMPDIR', '/no/such/folder');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await call(['run', '--redis', '1', '--', 'true'])).toEqual({
      status: 1,
      out: '',
      err: 'quorate: the folder for temporary files, /no/such/folder, cannot be used (ENOENT). Set TMPDIR to a folder that can.\n',
    });
  });

  test('up refuses a temporary folder whose path is too long, before anything starts', async () => {
    vi.stubEnv('TMPDIR', `/${'x'.repeat(80)}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { status, err } = await call(['up', '--redis', '1']);
    expect({ status, err }).toEqual({
      status: 2,
      err: expect.stringContaining('TMPDIR: expected a path of at most 74 bytes'),
    });
  });

  test('ends with its status and without a word when nobody reads what it prints', async () => {
    await using _ = await ownCache();
    const child = quorate(['status', '--json']);
    child.stdout?.destroy();
    expect(await outcome(child)).toMatchObject({ status: 1, err: '' });
  });

  test.each([
    [],
    ['run'],
    ['up'],
    ['status'],
    ['fault'],
    ['down'],
    ['logs'],
    ['doctor'],
    ['demo'],
    ['inspect'],
    ['inspect', 'locks'],
  ])('%s has help with examples', async (...command) => {
    const { status, out } = await call([...command, '--help']);
    expect(status).toBe(0);
    expect(out).toMatch(/Examples:\n {2}\$ /);
  });

  test.each([
    [['run', '--zookeeper', '2', '--', 'true'], "argument '2' is invalid. Expected 1, 3 or 5."],
    [['run', '--kafla', '1', '--', 'true'], '(Did you mean --kafka?)'],
    [['run', '--redis', 'many', '--', 'true'], 'Expected 1, 2, 3, 4, 5, 6, 7, 8 or 9.'],
    [['run', '--', 'true'], 'servers: expected at least one of --zookeeper, --redis'],
    [['run', '--redis', '1'], "missing required argument 'command'"],
    [['run', '--s3', 'us-east-1,../up', '--', 'true'], 's3: expected different region names such as "us-east-1"'],
    [['up', '--redis', '1', '--name', '../x'], 'Expected lower-case letters, digits and dashes'],
    [['up', '--redis', '1', '--disk', '1.5'], 'Expected a whole number from 1 to 65536.'],
    [['up'], 'servers: expected at least one of --zookeeper'],
    [['fault', 'flood', 'redis-1'], "'flood' is invalid for argument 'kind'. Allowed choices are kill, pause, slow,"],
    [['fault'], "missing required argument 'kind'"],
    [['fault', 'kill', 'redis-1', 'redis-2'], 'other: expected a second target only for a partition'],
    [['fault', 'kill', 'redis-1,redis-2'], "target: expected one name, got 'redis-1,redis-2'"],
    [['fault', 'kill', 'redis-1', '--set', 'latencyMs=5'], '--set: expected the kind "link"'],
    [['fault', 'link', 'me~redis-1', '--set', 'latencyMs'], 'Expected name=value, such as latencyMs=200.'],
    [['fault', 'restart', 'redis-1', '--for', '5'], '--for: expected one of kill, pause'],
    [['status', '--all', '--export'], '--export: expected one bed, without --all'],
    [['status', '--json', '--export'], '--export: expected the addresses as shell commands, without --json'],
    [['logs', '-n', 'many'], 'Expected a whole number from 0 to 1000000.'],
    [['fault', 'kill', 'redis-1', '--for', '0'], 'Expected seconds, or a time such as 500ms, 30s or 5m: above 0'],
    [['demo', 'consenus'], "demo: expected one of consensus, concurrency, everything, got 'consenus'"],
    [['demo', '--seed', 'x'], 'Expected a whole number.'],
    [['demo', '--picture', 'here.png'], 'Expected a file that ends in .html.'],
    [['demo', '--picture', '/no/such/folder/here.html'], 'There is no folder /no/such/folder.'],
    [['demo', 'everything', '--seed', '1'], '--seed: expected a concept to go with it'],
  ])('%j is bad use: status 2, and the word that is wrong', async (args, message) => {
    const { status, err, out } = await call(args);
    expect(err).toContain(message);
    expect(status).toBe(2);
    expect(out).toBe('');
  });
});

test('each kind of fault has one line of help', async () => {
  const { out } = await call(['fault', '--help']);
  for (const kind of faultKinds) expect(out.match(new RegExp(`^  ${kind} .+$`, 'gm')) ?? [], kind).toHaveLength(1);
});

describe('quorate run', () => {
  // Beside one another: these do not look at which beds there are.
  test.concurrent.each([
    ['its exit status', ['sh', '-c', 'exit 7'], 7],
    ['the signal that ended it', ['sh', '-c', 'kill -TERM $$'], 143],
    ['that there is no such command', ['quorate-no-such-command'], 127],
  ])('passes on %s', async (_what, command, status) => {
    expect((await run(['run', '--redis', '1', '--', ...command])).status).toBe(status);
  });

  test.concurrent('leaves the options of the command to the command', async () => {
    const { out } = await run(['run', '--redis', '1', 'echo', '--json', '--help', '-x']);
    expect(out).toBe('--json --help -x\n');
  });

  test.concurrent('says what failed: status 1', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'quorate-test-'));
    const { status, err } = await run(['run', '--consul', '1', '--offline', '--', 'true'], {
      QUORATE_CACHE: empty,
      PATH: '/nowhere',
    });
    expect(err).toContain('consul 1.22.3 is not installed, and could not be fetched:');
    expect(err).toContain('nothing is fetched while offline');
    expect(err).not.toContain('    at ');
    expect(status).toBe(1);
    await rm(empty, { recursive: true });
  });

  test('tells the command where everything is, and stops it all afterwards', async () => {
    const ask =
      'console.log(JSON.stringify(Object.fromEntries(Object.entries(process.env).filter(([key]) => key.startsWith("QUORATE_")))))';
    const { status, out } = await run([
      'run',
      '--redis',
      '1',
      '--s3',
      'us-east-1,eu-west-1',
      '--envoy',
      '--',
      process.execPath,
      '-e',
      ask,
    ]);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      QUORATE_REDIS: expect.stringMatching(/^redis:\/\/:[\w-]{24}@127\.0\.0\.1:\d+$/),
      QUORATE_S3_US_EAST_1: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      QUORATE_S3_EU_WEST_1: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      QUORATE_ENVOY: expect.stringMatching(/envoy$/),
    });
    expect(await beds()).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'passes %s on to the command, waits for it, and then stops the servers',
    async (signal) => {
      const command = `process.on('${signal}', () => { console.log('goodbye'); process.exit(3); }); console.log('here'); setInterval(() => {}, 1000);`;
      const child = quorate(['run', '--redis', '1', '--', process.execPath, '-e', command]);
      await eventually('the command runs', () => child.printed().includes('here'));
      child.kill(signal);
      expect(await outcome(child)).toMatchObject({ status: 3, out: 'here\ngoodbye\n' });
      expect(await beds()).toEqual([]);
    },
  );

  // Without /proc nobody finds them.
  describe.skipIf(process.platform !== 'linux')('ends what its command has left behind', () => {
    const background = 'sleep 600 >/dev/null 2>&1 & echo $!; setsid sleep 600 >/dev/null 2>&1 & echo $!';

    test.concurrent.for([
      ['has ended', 'exit 5', () => {}, 5],
      ['was ended by SIGTERM to run alone', 'wait', (pid: number): boolean => process.kill(pid, 'SIGTERM'), 143],
      ['was ended by SIGINT to run alone', 'wait', (pid: number): boolean => process.kill(pid, 'SIGINT'), 130],
      ['was ended by Ctrl-C, which reaches all', 'wait', (pid: number): boolean => process.kill(-pid, 'SIGINT'), 130],
    ] as const)('once it %s', async ([, then, act, status], { onTestFinished }) => {
      const child = quorate(['run', '--redis', '1', '--', 'sh', '-c', `${background}; ${then}`], {}, 'job');
      const pids = await eventually('the command runs', () => {
        const printed = child.printed().trim().split('\n').map(Number);
        return printed.length === 2 ? printed : undefined;
      });
      onTestFinished(() => {
        for (const pid of pids) if (runs(pid)) process.kill(pid, 'SIGKILL');
      });
      act(child.pid as number);
      expect((await outcome(child)).status).toBe(status);
      expect(pids.filter(runs)).toEqual([]);
    });
  });

  test('stops at Ctrl-C while the servers start, and leaves nothing', async () => {
    const child = quorate(['run', '--kafka', '1', '--', 'true']);
    await eventually('it has begun', async () => (await beds()).length > 0);
    child.kill('SIGINT');
    expect(await outcome(child)).toMatchObject({ status: 130, out: '' });
    expect(await beds()).toEqual([]);
  });
});

// Long, and beside the next ones, which start no servers.
describe.concurrent('quorate demo everything', () => {
  test('starts one of each server, shows where it is and how it is, and ends well at Ctrl-C', async () => {
    const child = quorate(['demo', 'everything', '--offline']);
    await eventually('all is ready', () => child.printed().includes('Ctrl-C stops everything'), { within: 90_000 });
    for (const name of [
      'zookeeper-3',
      'redis-1',
      'kafka-1',
      'consul-1',
      'envoy-1',
      'temporal-1',
      's3-us-east-1',
      's3-eu-west-1',
      'dynamodb-1',
    ]) {
      expect(child.printed()).toMatch(new RegExp(`^${name} +127\\.0\\.0\\.1:\\d+ +healthy +\\d+ MB$`, 'm'));
    }
    child.kill('SIGINT');
    expect((await outcome(child)).status).toBe(0);
    expect(await beds()).toEqual([]);
  });
});

describe.concurrent('quorate doctor', () => {
  test('shows what is here, from where, and its size', async () => {
    const { status, out } = await run(['doctor']);
    expect(out).toMatch(/^PROGRAM +VERSION +STATE +SIZE +FROM +SAYS\njava /);
    expect(out).toMatch(/envoy +1\.\d+\.\d+ +here/);
    expect(out).toMatch(/^redis .* Redis server v=\d/m);
    expect(out).toContain(`The cache ${cacheFolder()} holds `);
    expect(status).toBe(0);
  });

  test('asks each program for its version, and does not believe a name', async ({ onTestFinished }) => {
    const { items } = JSON.parse((await call(['doctor', '--json'])).out) as Inventory;
    for (const name of ['java', 'zookeeper', 'kafka', 'dynamodb', 'redis', 'consul', 'envoy', 'temporal']) {
      const { said, program } = items.find((item) => item.name === name) ?? {};
      expect(said, name).toContain(program?.version ?? 'a version');
    }
    const real = items.find(({ name }) => name === 'versitygw')?.program;
    const programs = join(cacheFolder(), 'programs');
    const [place = '', ...rest] = relative(programs, real?.path ?? '').split('/');
    const cache = await mkdtemp(join(tmpdir(), 'quorate-test-'));
    onTestFinished(() => rm(cache, { recursive: true }));
    const path = join(cache, 'programs', place, ...rest);
    await mkdir(dirname(path), { recursive: true });
    await copyFile(join(programs, place, 'program.json'), join(cache, 'programs', place, 'program.json'));
    const looked = async (script: string): Promise<Inventory['items'][number] | undefined> => {
      await writeFile(path, script, { mode: 0o755 });
      const { out } = await run(['doctor', '--json'], { QUORATE_CACHE: cache, PATH: '/nowhere' });
      return (JSON.parse(out) as Inventory).items.find(({ name }) => name === 'versitygw');
    };
    expect(await looked('#!/bin/sh\necho "Version : v9.8.7"')).toMatchObject({
      state: 'here',
      said: 'Version : v9.8.7',
      program: { version: '9.8.7' },
    });
    expect(await looked('#!/bin/sh\necho "Version : v0.0.1"')).toMatchObject({
      state: 'unusable',
      why: expect.stringContaining(`${path} says "Version : v0.0.1", which is too old`),
    });
    expect(await looked('#!/bin/sh\necho "no such library" >&2; exit 127')).toMatchObject({
      state: 'unusable',
      why: `${path} cannot be run: no such library`,
    });
  });

  test('shows what is missing, and which named program is unusable: status 1', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'quorate-test-'));
    const env = { QUORATE_CACHE: empty, PATH: '/nowhere', QUORATE_PROGRAM_REDIS: '/no/such/redis' };
    const { status, out } = await run(['doctor', '--json'], env);
    const { items } = JSON.parse(out) as { items: { name: string; state: string; why?: string }[] };
    expect(items.find(({ name }) => name === 'kafka')).toMatchObject({ state: 'missing' });
    expect(items.find(({ name }) => name === 'redis')).toMatchObject({
      state: 'unusable',
      why: expect.stringContaining('/no/such/redis'),
    });
    expect(status).toBe(1);
    const { out: shown } = await run(['doctor'], env);
    expect(shown).toMatch(/\d missing: fetched when first needed, or now by quorate doctor --fetch/);
    expect(shown).toMatch(/kafka +4\.1\.0 +missing +its release, else Maven/);
    expect(shown).toContain('Java, Go, Envoy and Temporal need pip');
    await rm(empty, { recursive: true });
  });
});

describe('quorate demo', () => {
  test('lists what there is to see', async () => {
    const { status, out } = await call(['demo', '--list', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject([
      { name: 'consensus', shows: expect.stringMatching(/leader/) },
      { name: 'concurrency', shows: expect.stringMatching(/fencing token/) },
    ]);
    expect((await call(['demo', '--list'])).out).toMatch(/^DEMO +SHOWS\nconsensus +the leader/);
  });

  test('without a name is consensus', async () => {
    const child = quorate(['demo']);
    await eventually('it has begun', () => child.printed().includes('Three servers'));
    child.kill('SIGINT');
    expect((await outcome(child)).status).toBe(130);
    expect(await beds()).toEqual([]);
  });
});
