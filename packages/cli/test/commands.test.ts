import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, eventually } from '@quorate/testbed';
import { describe, expect, test } from 'vitest';
import { beds, call, outcome, quorate, run } from './quorate.ts';

describe('quorate', () => {
  test('as a process: exit status, standard output and standard error are those of the command', async () => {
    expect(await run(['--version'])).toEqual({ status: 0, out: '0.1.0\n', err: '' });
    expect(await run(['runn'])).toEqual({ status: 2, out: '', err: expect.stringContaining("unknown command 'runn'") });
  });

  test.each([
    [],
    ['run'],
    ['up'],
    ['status'],
    ['fault'],
    ['down'],
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
    [['run', '--redis', 'many', '--', 'true'], 'Expected 1, 2, 3, 4 or 5.'],
    [['run', '--', 'true'], 'servers: expected at least one of --zookeeper, --redis'],
    [['run', '--redis', '1'], "missing required argument 'command'"],
    [['run', '--s3', 'us-east-1,../up', '--', 'true'], 's3: expected different region names such as "us-east-1"'],
    [['up', '--redis', '1', '--name', '../x'], 'Expected small letters, digits and dashes'],
    [['up', '--redis', '1', '--disk', '1.5'], 'Expected a whole number from 1 to 65536.'],
    [['up'], 'servers: expected at least one of --zookeeper'],
    [['fault', 'flood', 'redis-1'], "'flood' is invalid for argument 'kind'. Allowed choices are kill, pause, slow,"],
    [['fault'], "missing required argument 'kind'"],
    [['fault', 'kill', 'redis-1', 'redis-2'], 'other: expected no second target but for a partition'],
    [['fault', 'kill', 'redis-1,redis-2'], "target: expected one name, got 'redis-1,redis-2'"],
    [['fault', 'kill', 'redis-1', '--set', 'latencyMs=5'], '--set: expected the kind "link"'],
    [['fault', 'link', 'me~redis-1', '--set', 'latencyMs'], 'Expected name=value, such as latencyMs=200.'],
    [['fault', 'restart', 'redis-1', '--for', '5'], '--for: expected one of kill, pause'],
    [['fault', 'kill', 'redis-1', '--for', '0'], 'Expected seconds, above 0'],
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

describe('quorate run', () => {
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
      QUORATE_REDIS: expect.stringMatching(/^redis:\/\/127\.0\.0\.1:\d+$/),
      QUORATE_S3_US_EAST_1: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      QUORATE_S3_EU_WEST_1: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      QUORATE_ENVOY: expect.stringMatching(/envoy$/),
    });
    expect(await beds()).toEqual([]);
  });

  test.each([
    ['its exit status', ['sh', '-c', 'exit 7'], 7],
    ['the signal that ended it', ['sh', '-c', 'kill -TERM $$'], 143],
    ['that there is no such command', ['quorate-no-such-command'], 127],
  ])('passes on %s', async (_what, command, status) => {
    expect((await run(['run', '--redis', '1', '--', ...command])).status).toBe(status);
  });

  test('leaves the options of the command to the command', async () => {
    const { out } = await run(['run', '--redis', '1', 'echo', '--json', '--help', '-x']);
    expect(out).toBe('--json --help -x\n');
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

  test('stops at Ctrl-C while the servers start, and leaves nothing', async () => {
    const child = quorate(['run', '--kafka', '1', '--', 'true']);
    await eventually('it has begun', async () => (await beds()).length > 0);
    child.kill('SIGINT');
    expect(await outcome(child)).toMatchObject({ status: 130, out: '' });
    expect(await beds()).toEqual([]);
  });

  test('says what failed: status 1', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'quorate-test-'));
    const { status, err } = await run(['run', '--consul', '1', '--offline', '--', 'true'], {
      QUORATE_CACHE: empty,
      PATH: '/nowhere',
    });
    expect(err).toContain('consul 1.22.3 is not here, and could not be brought:');
    expect(err).toContain('nothing is fetched while offline');
    expect(err).not.toContain('    at ');
    expect(status).toBe(1);
    await rm(empty, { recursive: true });
  });
});

/** What Redis says first on a connection of its own; the code of the error that ended it, or that it says nothing. */
function ask(address: string, command: string): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host: host ?? '', port: Number(port) }, () => socket.write(`${command}\r\n`));
    const said = (what: string): void => {
      socket.destroy();
      resolve(what);
    };
    socket.setEncoding('utf8').setTimeout(1_000, () => said('no answer'));
    socket.on('data', (text) => said(`${text}`.split('\r\n')[0] ?? ''));
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => said(code));
    socket.on('end', () => said('ended'));
  });
}

/** A cache with the same programs and no beds in it: what is up elsewhere on this machine stays out of the tests. */
async function ownCache(): Promise<AsyncDisposable & { readonly env: Record<string, string> }> {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-test-'));
  await symlink(join(cacheFolder(), 'programs'), join(folder, 'programs'));
  const env = { QUORATE_CACHE: folder };
  return {
    env,
    [Symbol.asyncDispose]: async () => {
      // What a test that failed has left up.
      await run(['down', '--all'], env);
      await rm(folder, { recursive: true });
    },
  };
}

describe('quorate up, status and down', () => {
  test('keep servers in the background between commands', async () => {
    await using cache = await ownCache();
    const up = await run(['up', '--redis', '2', '--name', 'lab', '--json'], cache.env);
    expect(up).toMatchObject({ status: 0, err: '' });
    const bed = JSON.parse(up.out) as {
      servers: { name: string; health: string }[];
      environment: Record<string, string>;
    };
    expect(bed.servers).toMatchObject([
      { name: 'redis-1', health: 'pass' },
      { name: 'redis-2', health: 'pass' },
    ]);

    const status = await run(['status', '--name', 'lab', '--json'], cache.env);
    expect(JSON.parse(status.out)).toMatchObject({ environment: bed.environment });
    expect((await run(['status', '--name', 'lab'], cache.env)).out).toMatch(
      /SERVER +ADDRESS +HEALTH +MEMORY\nredis-1 +127\.0\.0\.1:\d+ +well +\d+ MB\n/,
    );
    expect((await run(['status', '--name', 'lab', '--export'], cache.env)).out).toBe(
      `export QUORATE_REDIS='${bed.environment.QUORATE_REDIS}'\n`,
    );

    const again = await run(['up', '--redis', '1', '--name', 'lab'], cache.env);
    expect(again).toMatchObject({
      status: 1,
      err: expect.stringContaining('a bed called "lab" is up already: quorate down --name lab ends it'),
    });
    expect(await run(['status'], cache.env)).toMatchObject({ status: 1, err: 'Nothing is up. There is: lab.\n' });

    expect(await run(['down', '--name', 'lab'], cache.env)).toEqual({
      status: 0,
      out: 'Stopped redis-1, redis-2.\n',
      err: '',
    });
    expect(await beds()).toEqual([]);
    expect(await run(['down', '--name', 'lab'], cache.env)).toMatchObject({ status: 0, out: 'Nothing was up.\n' });
    expect(JSON.parse((await run(['status', '--name', 'lab', '--json'], cache.env)).out)).toEqual({
      servers: [],
      environment: {},
    });
  });

  test('notice when the process that held the servers was killed', async () => {
    await using cache = await ownCache();
    await run(['up', '--redis', '1'], cache.env);
    const record = join(cache.env.QUORATE_CACHE ?? '', 'beds', 'default.json');
    const { pid } = JSON.parse(await readFile(record, 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await eventually(
      'its absence is noticed',
      async () => (await run(['status'], cache.env)).err === 'Nothing is up.\n',
    );
    expect(await run(['up', '--redis', '1'], cache.env)).toMatchObject({ status: 0 });
    expect((await run(['down', '--all', '--json'], cache.env)).out).toBe('{"stopped":["redis-1"]}\n');
  });

  test('up stops at Ctrl-C while the servers start, and leaves nothing', async () => {
    await using cache = await ownCache();
    const child = quorate(['up', '--kafka', '1'], cache.env);
    await eventually('it has begun', async () => (await beds()).length > 0);
    child.kill('SIGINT');
    expect(await outcome(child)).toMatchObject({ status: 130 });
    await eventually('nothing is left', async () => (await beds()).length === 0);
    expect(await run(['status'], cache.env)).toMatchObject({ status: 1 });
  });

  test('up says why a server did not start', async () => {
    await using cache = await ownCache();
    const { status, err } = await run(['up', '--consul', '1', '--offline'], {
      QUORATE_CACHE: join(cache.env.QUORATE_CACHE ?? '', 'empty'),
      PATH: '/nowhere',
    });
    expect(err).toContain('consul 1.22.3 is not here');
    expect(status).toBe(1);
  });
});

describe('quorate fault', () => {
  test('breaks the servers in the background, each time so that a client can tell, and makes them well again', async () => {
    await using cache = await ownCache();
    const up = await run(['up', '--redis', '2', '--json'], cache.env);
    const { servers } = JSON.parse(up.out) as { servers: { address: string }[] };
    const [primary = '', replica = ''] = servers.map(({ address }) => address);
    const fault = async (...args: string[]): Promise<string> => {
      const { status, out, err } = await run(['fault', ...args], cache.env);
      expect({ status, err }).toEqual({ status: 0, err: '' });
      return out;
    };

    expect(await ask(primary, 'SET cab 42')).toBe('+OK');
    expect(await fault('kill', 'redis-1')).toBe('Done: kill redis-1.\nredis-1 is killed.\n');
    expect(await ask(primary, 'PING')).toBe('ECONNREFUSED');
    expect(await run(['status'], cache.env)).toMatchObject({
      status: 1,
      out: expect.stringContaining('not well: killed'),
    });
    expect(await fault('restart', 'redis-1')).toBe('Done: restart redis-1.\n');
    expect(await ask(primary, 'GET cab')).toBe('$2');

    await fault('pause', 'redis-2');
    expect(await ask(replica, 'PING')).toBe('no answer');
    await fault('resume', 'redis-2');
    expect(await ask(replica, 'PING')).toBe('+PONG');
    expect(JSON.parse(await fault('pause', 'redis-2', '--for', '0.2', '--json'))).toEqual({
      kind: 'pause',
      target: ['redis-2'],
      servers: [
        { name: 'redis-1', state: 'running' },
        { name: 'redis-2', state: 'paused' },
      ],
    });
    await eventually('it ends by itself', async () => (await ask(replica, 'PING')) === '+PONG');

    const { address } = JSON.parse(await fault('link', 'me~redis-1', '--json')) as { address: string };
    expect(await ask(address, 'PING')).toBe('+PONG');
    expect(await fault('link', 'me~redis-1', '--set', 'blackHole=redis-1')).toBe(
      `Done: link me~redis-1.\nme reaches redis-1 at ${address}.\nThe link: {"blackHole":"redis-1"}.\n`,
    );
    expect(await ask(address, 'SET cab 43')).toBe('no answer');
    expect(await ask(primary, 'GET cab')).toBe('$2');
    await fault('reset', 'me~redis-1');
    expect(await ask(address, 'PING')).toBe('ECONNRESET');
    await fault('partition', 'redis-1', 'me,you');
    await fault('heal', 'me~redis-1');
    expect(await ask(address, 'PING')).toBe('+PONG');
    await fault('partition', 'redis-1', 'me,you');
    expect(await ask(address, 'PING')).toBe('no answer');
    await fault('heal');
    expect(await ask(address, 'PING')).toBe('+PONG');

    for (const [args, message] of [
      [['kill', 'redis-3'], "server: expected one of redis-1, redis-2, got 'redis-3'"],
      [['kill', 'zookeeper-leader'], 'target: expected a server of the bed, which has no ZooKeeper'],
      [['kill'], 'server: expected one of redis-1, redis-2'],
      [['latency', 'redis-1'], 'link: expected'],
      [['link', 'me~redis-1', '--set', 'speed=9'], 'faults: expected settings out of latencyMs'],
      [['partition', 'redis-1'], 'right: expected at least one name'],
    ] as const) {
      const { status, err, out } = await run(['fault', ...args], cache.env);
      expect(err).toContain(message);
      expect({ status, out }).toEqual({ status: 2, out: '' });
    }
    await fault('kill', 'redis-2');
    expect(await run(['fault', 'pause', 'redis-2'], cache.env)).toEqual({
      status: 1,
      out: '',
      err: 'quorate: redis-2 does not run: it is killed\n',
    });
    expect(await run(['down'], cache.env)).toMatchObject({ status: 0, out: 'Stopped redis-1, redis-2.\n' });
  });

  test('fills the disk of a server, and makes room again', async ({ skip }) => {
    await using cache = await ownCache();
    const up = await run(['up', '--redis', '1', '--disk', '8', '--json'], cache.env);
    skip(up.err.includes('cannot have a disk of its own'), up.err);
    const { servers } = JSON.parse(up.out) as { servers: { address: string }[] };
    const address = servers[0]?.address ?? '';
    expect(await run(['fault', 'full-disk', 'redis-1'], cache.env)).toMatchObject({ status: 0 });
    await eventually('a write is refused', async () =>
      (await ask(address, `SET much ${'x'.repeat(20_000)}`)).includes('No space left on device'),
    );
    expect(await run(['fault', 'heal', 'redis-1'], cache.env)).toMatchObject({ status: 0 });
    await eventually('it is taken', async () => (await ask(address, 'SET much x')) === '+OK');
    await run(['down'], cache.env);
  });

  test('says so when nothing is up: status 1', async () => {
    await using cache = await ownCache();
    expect(await run(['fault', 'kill', 'redis-1', '--name', 'lab'], cache.env)).toEqual({
      status: 1,
      out: '',
      err: 'quorate: nothing is up: quorate up starts servers to break\n',
    });
  });
});

describe('quorate doctor', () => {
  test('shows what is here, from where, and its size', async () => {
    const { status, out } = await run(['doctor']);
    expect(out).toMatch(/^PROGRAM +VERSION +STATE +SIZE +FROM\njava /);
    expect(out).toMatch(/envoy +1\.\d+\.\d+ +here/);
    expect(out).toContain(`The cache ${cacheFolder()} holds `);
    expect(status).toBe(0);
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
    expect((await run(['doctor'], env)).out).toMatch(
      /\d missing: fetched when first needed, or now by quorate doctor --fetch/,
    );
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

  test('everything: starts one of each server, shows where it is and how it is, and ends well at Ctrl-C', async () => {
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
      expect(child.printed()).toMatch(new RegExp(`^${name} +127\\.0\\.0\\.1:\\d+ +well +\\d+ MB$`, 'm'));
    }
    child.kill('SIGINT');
    expect((await outcome(child)).status).toBe(0);
    expect(await beds()).toEqual([]);
  });
});
