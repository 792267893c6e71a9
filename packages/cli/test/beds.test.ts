import { appendFile, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '@quorate/testbed';
import { describe, expect, test } from 'vitest';
import type { BedDescription } from '../src/bed-description.ts';
import { beds, call, inOwnFolder, outcome, ownCache, quorate, run, temporary } from './quorate.ts';

inOwnFolder();

/**
 * What Redis says on a connection of its own, after the password; the code of the error that ended it, or that it says
 * nothing for so long.
 */
function ask(address: string, command: string, password = '', within = 5_000): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host: host ?? '', port: Number(port) }, () =>
      socket.write(`AUTH ${password}\r\n${command}\r\n`),
    );
    let heard = '';
    const said = (what: string): void => {
      socket.destroy();
      resolve(what);
    };
    socket.setEncoding('utf8').setTimeout(within, () => said('no answer'));
    socket.on('data', (text) => {
      heard += text;
      const [, answer, whole] = heard.split('\r\n');
      if (answer !== undefined && whole !== undefined) said(answer);
    });
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => said(code));
    socket.on('end', () => said('ended'));
  });
}

/** Who has this in its environment; nobody where there is no /proc. */
async function carriers(entry: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc').catch(() => [])) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (environment.split('\0').includes(entry)) found.push(pid);
  }
  return found;
}

describe('quorate up, status and down', () => {
  test('keep servers in the background between commands', async () => {
    await using _ = await ownCache();
    const within = { QUORATE_COMMAND: 'that is to end with quorate run' };
    const up = await run(['up', '--redis', '2', '--name', 'lab', '--json'], within);
    expect(up).toMatchObject({ status: 0, err: '' });
    const bed = JSON.parse(up.out) as {
      servers: { name: string; health: string }[];
      environment: Record<string, string>;
    };
    expect(bed.servers).toMatchObject([
      { name: 'redis-1', health: 'pass' },
      { name: 'redis-2', health: 'pass' },
    ]);

    const status = await call(['status', '--name', 'lab', '--json']);
    expect(JSON.parse(status.out)).toMatchObject({ environment: bed.environment });
    expect((await call(['status', '--name', 'lab'])).out).toMatch(
      /SERVER +ADDRESS +HEALTH +MEMORY\nredis-1 +127\.0\.0\.1:\d+ +healthy +\d+ MB\n/,
    );
    expect((await call(['status', '--name', 'lab', '--export'])).out).toBe(
      `export QUORATE_REDIS='${bed.environment.QUORATE_REDIS}'\n`,
    );

    expect(await carriers('QUORATE_COMMAND=that is to end with quorate run')).toEqual([]);

    const again = await run(['up', '--redis', '1', '--name', 'lab']);
    expect(again).toMatchObject({
      status: 1,
      err: expect.stringContaining('quorate down --name lab ends it'),
    });
    expect(await call(['status'])).toMatchObject({ status: 1, err: 'Nothing is up. Beds that are up: lab.\n' });

    expect(await call(['down', '--name', 'lab'])).toEqual({
      status: 0,
      out: 'Stopped redis-1, redis-2.\n',
      err: '',
    });
    expect(await beds()).toEqual([]);
    expect(await call(['down', '--name', 'lab'])).toMatchObject({ status: 0, out: 'Nothing was up.\n' });
    expect(JSON.parse((await call(['status', '--name', 'lab', '--json'])).out)).toEqual({
      servers: [],
      environment: {},
    });
  });

  test('notice when the process that held the servers was killed', async () => {
    await using cache = await ownCache();
    await run(['up', '--redis', '1']);
    const record = join(cache.folder, 'beds', 'default.json');
    const { pid } = JSON.parse(await readFile(record, 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await eventually('its absence is noticed', async () => (await call(['status'])).err === 'Nothing is up.\n');
    expect(await run(['up', '--redis', '1'])).toMatchObject({ status: 0 });
    expect((await call(['down', '--all', '--json'])).out).toBe('{"stopped":["redis-1"]}\n');
  });

  test('up stops at Ctrl-C while the servers start, and leaves nothing', async () => {
    await using _ = await ownCache();
    const child = quorate(['up', '--kafka', '1']);
    await eventually('it has begun', async () => (await beds()).length > 0);
    child.kill('SIGINT');
    expect(await outcome(child)).toMatchObject({ status: 130 });
    await eventually('nothing is left', async () => (await beds()).length === 0);
    expect(await call(['status'])).toMatchObject({ status: 1 });
  });

  test('up says why a server did not start', async () => {
    await using cache = await ownCache();
    const { status, err } = await run(['up', '--consul', '1', '--offline'], {
      QUORATE_CACHE: join(cache.folder, 'empty'),
      PATH: '/nowhere',
    });
    expect(err).toContain('consul 1.22.3 is not installed');
    expect(status).toBe(1);
  });
});

describe('quorate fault', () => {
  test('breaks the servers in the background, each time so that a client can tell, and makes them well again', async () => {
    await using _ = await ownCache();
    const up = await run(['up', '--redis', '2', '--json']);
    const { servers, environment } = JSON.parse(up.out) as BedDescription;
    const { password } = new URL(environment.QUORATE_REDIS ?? '');
    const say = (address: string, command: string): Promise<string> => ask(address, command, password);
    // One that can answer does so in a millisecond or two.
    const isSilent = async (address: string, command: string): Promise<boolean> =>
      (await ask(address, command, password, 300)) === 'no answer';
    const [primary = '', replica = ''] = servers.map(({ address }) => address);
    const fault = async (...args: string[]): Promise<string> => {
      const { status, out, err } = await call(['fault', ...args]);
      expect({ status, err }).toEqual({ status: 0, err: '' });
      return out;
    };

    expect(await say(primary, 'SET cab 42')).toBe('+OK');
    expect(await fault('kill', 'redis-1')).toBe('Done: kill redis-1.\nredis-1 is killed.\n');
    expect(await say(primary, 'PING')).toBe('ECONNREFUSED');
    expect(await call(['status'])).toMatchObject({
      status: 1,
      out: expect.stringContaining('unhealthy: killed'),
    });
    expect(await fault('restart', 'redis-1')).toBe('Done: restart redis-1.\n');
    expect(await say(primary, 'GET cab')).toBe('$2');

    await fault('pause', 'redis-2');
    expect(await isSilent(replica, 'PING')).toBe(true);
    await fault('resume', 'redis-2');
    expect(await say(replica, 'PING')).toBe('+PONG');
    expect(JSON.parse(await fault('pause', 'redis-2', '--for', '0.2', '--json'))).toEqual({
      kind: 'pause',
      target: ['redis-2'],
      servers: [
        { name: 'redis-1', state: 'running' },
        { name: 'redis-2', state: 'paused' },
      ],
    });
    await eventually('it ends by itself', async () => (await say(replica, 'PING')) === '+PONG');

    // One without --for lasts, whatever an earlier one had said.
    await fault('pause', 'redis-2', '--for', '0.5');
    await fault('resume', 'redis-2');
    await fault('pause', 'redis-2');
    await fault('pause', 'redis-1', '--for', '0.6');
    await eventually('the later one has ended', async () => (await say(primary, 'PING')) === '+PONG');
    expect(await isSilent(replica, 'PING')).toBe(true);
    await fault('resume', 'redis-2');

    const { address } = JSON.parse(await fault('link', 'me~redis-1', '--json')) as { address: string };
    expect(await say(address, 'PING')).toBe('+PONG');
    expect(await fault('link', 'me~redis-1', '--set', 'blackHole=redis-1')).toBe(
      `Done: link me~redis-1.\nme reaches redis-1 at ${address}.\nThe link: {"blackHole":"redis-1"}.\n`,
    );
    expect(await isSilent(address, 'SET cab 43')).toBe(true);
    expect(await say(primary, 'GET cab')).toBe('$2');
    await fault('reset', 'me~redis-1');
    expect(await say(address, 'PING')).toBe('ECONNRESET');
    await fault('partition', 'redis-1', 'me,you');
    await fault('heal', 'me~redis-1');
    expect(await say(address, 'PING')).toBe('+PONG');
    await fault('partition', 'redis-1', 'me,you');
    expect(await isSilent(address, 'PING')).toBe(true);
    await fault('heal');
    expect(await say(address, 'PING')).toBe('+PONG');

    for (const [args, message] of [
      [['kill', 'redis-3'], "server: expected one of redis-1, redis-2, got 'redis-3'"],
      [['kill', 'zookeeper-leader'], 'target: expected a server of the bed, which has no ZooKeeper'],
      [['kill'], 'server: expected one of redis-1, redis-2'],
      [['latency', 'redis-1'], 'link: expected'],
      [['link', 'me~redis-1', '--set', 'speed=9'], 'faults: expected one of the settings latencyMs'],
      [
        ['link', 'me~redis-1', '--set', '__proto__=1'],
        "latencyMs, jitterMs, seed, bytesPerSecond, drip, blackHole, cut, halfOpen, refuse, got '__proto__'",
      ],
      [['partition', 'redis-1'], 'right: expected at least one name'],
    ] as const) {
      const { status, err, out } = await call(['fault', ...args]);
      expect(err).toContain(message);
      expect({ status, out }).toEqual({ status: 2, out: '' });
    }
    await fault('kill', 'redis-2');
    expect(await call(['fault', 'pause', 'redis-2'])).toEqual({
      status: 1,
      out: '',
      err: 'quorate: redis-2 is not running: it is killed\n',
    });
    expect(await call(['down'])).toMatchObject({ status: 0, out: 'Stopped redis-1, redis-2.\n' });
  });

  test('fills the disk of a server, and makes room again', async ({ skip }) => {
    await using _ = await ownCache();
    const up = await run(['up', '--redis', '1', '--disk', '8', '--json']);
    skip(up.err.includes('cannot have a disk of its own'), up.err);
    const { servers, environment } = JSON.parse(up.out) as BedDescription;
    const { password } = new URL(environment.QUORATE_REDIS ?? '');
    const address = servers[0]?.address ?? '';
    expect(await call(['fault', 'full-disk', 'redis-1'])).toMatchObject({ status: 0 });
    await eventually('a write is refused', async () =>
      (await ask(address, `SET much ${'x'.repeat(20_000)}`, password)).includes('No space left on device'),
    );
    expect(await call(['fault', 'heal', 'redis-1'])).toMatchObject({ status: 0 });
    await eventually('it is taken', async () => (await ask(address, 'SET much x', password)) === '+OK');
    await call(['down']);
  });

  test('says so when nothing is up: status 1', async () => {
    await using _ = await ownCache();
    expect(await call(['fault', 'kill', 'redis-1', '--name', 'lab'])).toEqual({
      status: 1,
      out: '',
      err: 'quorate: nothing is up: start servers with quorate up\n',
    });
  });
});

describe('quorate up', () => {
  test('of two that start a bed by the same name at once, one is refused and the other can be stopped', async () => {
    await using _ = await ownCache();
    for (let round = 1; round <= 2; round += 1) {
      const both = await Promise.all([1, 2].map(() => run(['up', '--redis', '1', '--name', 'twin'])));
      expect(both.map(({ status }) => status).toSorted(), `round ${round}`).toEqual([0, 1]);
      expect(both.find(({ status }) => status === 1)?.err).toMatch(
        /^quorate: a bed called "twin" is (up|being started) already, by process \d+: quorate down --name twin ends it/,
      );
      expect((await call(['down', '--name', 'twin'])).out).toBe('Stopped redis-1.\n');
      expect(await beds()).toEqual([]);
    }
  });

  test('can be ended by down while the servers start', async () => {
    await using cache = await ownCache();
    const child = quorate(['up', '--kafka', '1', '--name', 'early']);
    await eventually('it has begun', async () => (await beds()).length > 0);
    expect(await call(['status', '--name', 'early'])).toMatchObject({
      status: 1,
      err: 'quorate: the servers of the bed "early" are starting\n',
    });
    expect(await call(['down', '--name', 'early'])).toMatchObject({ out: 'Stopped before any server was up.\n' });
    expect((await outcome(child)).status).toBe(1);
    expect(await beds()).toEqual([]);
    expect(await readdir(join(cache.folder, 'beds'))).toEqual([]);
  });
});

describe('a bed whose process is stopped', () => {
  test('is said not to answer, beside the others with status --all, and is ended by down', async () => {
    await using cache = await ownCache();
    const [lab] = await Promise.all(
      ['lab', 'well'].map((name) => run(['up', '--redis', '1', '--name', name, '--json'])),
    );
    const { address = '' } = (JSON.parse(lab?.out ?? '') as { servers: { address: string }[] }).servers[0] ?? {};
    const { pid } = JSON.parse(await readFile(join(cache.folder, 'beds/lab.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGSTOP');
    const silent = `the process ${pid}, which holds the bed "lab", does not answer (stopped?)`;
    const began = performance.now();
    const [all, ...asked] = await Promise.all([
      call(['status', '--all']),
      ...[['status'], ['fault', 'kill', 'redis-1'], ['logs']].map((command) => call([...command, '--name', 'lab'])),
    ]);
    for (const { status, out, err } of asked) {
      expect(err).toContain(`quorate: ${silent}. kill -CONT ${pid}`);
      expect({ status, out }).toEqual({ status: 1, out: '' });
    }
    expect(all.status).toBe(1);
    expect(all.out).toMatch(/^BED +SERVER +ADDRESS +HEALTH +MEMORY\nlab +the process/);
    expect(all.out).toContain(silent);
    expect(all.out).toMatch(/\nwell +redis-1 +127\.0\.0\.1:\d+ +healthy +\d+ MB\n/);
    expect(await call(['down', '--name', 'lab'])).toEqual({
      status: 0,
      out: 'Stopped redis-1.\n',
      err: `The process ${pid}, which held them, did not answer and was killed.\n`,
    });
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(await ask(address, 'PING')).toBe('ECONNREFUSED');
    expect(await beds()).toHaveLength(1);
    const rest = JSON.parse((await call(['status', '--all', '--json'])).out);
    expect(rest).toMatchObject({ beds: [{ name: 'well', servers: [{ name: 'redis-1', health: 'pass' }] }] });
    expect(await call(['down', '--all'])).toMatchObject({ out: 'Stopped redis-1.\n', err: '' });
    expect(await call(['status', '--all'])).toEqual({ status: 1, out: '', err: 'Nothing is up.\n' });
  });
});

/** Of a bed with two servers. */
async function logFiles(): Promise<readonly string[]> {
  const [bed = ''] = await beds();
  return ['_redis-1.log', '_redis-2.log'].map((name) => join(temporary, bed, name));
}

describe('quorate logs', () => {
  test('prints what the servers have logged, and follows it across restarts until Ctrl-C or down', async () => {
    await using _ = await ownCache();
    expect(await call(['logs'])).toMatchObject({
      status: 1,
      err: 'quorate: nothing is up: start servers with quorate up\n',
    });
    await run(['up', '--redis', '2']);
    const all = await call(['logs']);
    expect(all.out).toMatch(/^redis-1 {2}.*Ready to accept connections/m);
    expect(all.out).toMatch(/^redis-2 {2}.*Ready to accept connections/m);
    const one = (await call(['logs', 'redis-1', '--lines', '2'])).out.trimEnd().split('\n');
    expect(one).toHaveLength(2);
    expect(all.out).toContain(`redis-1  ${one[1]}`);
    expect(await call(['logs', 'redis-3'])).toMatchObject({
      status: 2,
      err: "quorate: server: expected one of redis-1, redis-2, got 'redis-3'\n",
    });

    const interrupted = quorate(['logs', '--follow', '-n', '1', 'redis-1']);
    const followed = quorate(['logs', '-f', '-n', '0', '--json']);
    await eventually('the last line is there', () => interrupted.printed() !== '');
    const starts = (text: string): number => text.split('Ready to accept connections').length - 1;
    const before = starts(interrupted.printed());
    await eventually('a restart is followed', async () => {
      await call(['fault', 'restart', 'redis-1']);
      return starts(interrupted.printed()) > before && starts(followed.printed()) > 0;
    });
    interrupted.kill('SIGINT');
    expect((await outcome(interrupted)).status).toBe(0);

    // As from a server that is told to move the cursor, and then dies in the middle of a line.
    await call(['fault', 'kill', 'redis-1']);
    const [log = '', ...logs] = await logFiles();
    await appendFile(log, 'a\tb\u001b[2J\u009b2J\u202e\npanic: last words');
    const shown = 'a\tb\\u{1b}[2J\\u{9b}2J\\u{202e}\npanic: last words\n';
    expect((await call(['logs', 'redis-1', '-n', '2'])).out).toBe(shown);
    expect((await call(['logs', 'redis-1', '-n', '2', '--json'])).out).not.toMatch(/[\u007f-\u009f\u202e]/);
    await eventually('a finished line is followed', () => followed.printed().includes('"a\\tb'));
    for (const file of [log, ...logs]) await rm(file);
    // No more can be added to it.
    await eventually('the last line is followed', () => followed.printed().includes('panic: last words'));
    await call(['fault', 'restart', 'redis-1']);
    await eventually('a log that was removed is followed', () =>
      /panic: last words".*Ready to/s.test(followed.printed()),
    );
    await call(['down']);
    const { status, out } = await outcome(followed);
    expect(status).toBe(0);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { server: string; line: string });
    expect(lines).toContainEqual({ server: 'redis-1', line: 'panic: last words' });
  });
});
