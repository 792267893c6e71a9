import { randomUUID } from 'node:crypto';
import { Election, Lock, type Participant, ReadWriteLock, Semaphore } from '@quorate/coordination';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { connect, creatorAcl, type ZooKeeper } from '@quorate/zookeeper';
import { describe, expect, test as plainTest } from 'vitest';
import { call, inOwnFolder, outcome, quorate, type Running } from './quorate.ts';

inOwnFolder();

/** A server of its own, a place of its own on it for each test, and as many sessions as wanted. */
const test = bedTest({ zookeeper: 1 })
  .extend<'place', string>('place', () => `/app-${randomUUID().slice(0, 8)}`)
  .extend<'session', () => Promise<ZooKeeper>>('session', async ({ bed }, { onCleanup }) => {
    const sessions: ZooKeeper[] = [];
    onCleanup(async () => {
      await Promise.all(sessions.map((zk) => zk.close()));
    });
    return async () => {
      const zk = await connect(bed.zookeeper.url);
      sessions.push(zk);
      return zk;
    };
  });

const hex = (zk: ZooKeeper): string => `0x${zk.id.toString(16)}`;

async function waiting(lock: Pick<Lock, 'waiters'>, count: number): Promise<Participant[]> {
  return await eventually(`${count} wait`, async () => {
    const waiters = await lock.waiters();
    return waiters.length === count ? waiters : undefined;
  });
}

// One of these takes as long as is waited for a server that is not there; what follows goes on beside it.
describe.concurrent('quorate inspect refuses', () => {
  const nowhere = ['--zookeeper', '127.0.0.1:1'];

  plainTest.for([
    [['inspect', 'lokcs'], "unknown command 'lokcs'", 2],
    [['inspect', 'locks', 'no-slash', ...nowhere], 'path: expected an absolute path', 2],
    [['inspect', 'locks', '/a//b', ...nowhere], 'no empty segment', 2],
    [['inspect', 'tree', '--limit', '0', ...nowhere], 'Expected a whole number from 1 to 100000.', 2],
    [['inspect', 'tree', '--depth', 'x', ...nowhere], 'Expected a whole number from 1 to 1000.', 2],
    [['inspect', 'tree'], 'zookeeper: expected an address: --zookeeper zk1:2181, or QUORATE_ZOOKEEPER', 2],
    [['inspect', 'tree', '--zookeeper', 'zk:port'], 'servers', 2],
    [['inspect', 'tree', ...nowhere], 'no ZooKeeper server answers at 127.0.0.1:1', 1],
  ] as const)('%j', async ([args, message, status]) => {
    const ended = await call(args, { QUORATE_ZOOKEEPER: '' });
    expect(ended.err).toContain(message);
    expect(ended.err).not.toContain('    at ');
    expect(ended).toMatchObject({ status, out: '' });
  });

  test('a path that is not there', async ({ bed, place }) => {
    for (const what of ['locks', 'leaders', 'tree']) {
      const { status, err } = await call(['inspect', what, place, '--zookeeper', bed.zookeeper.url]);
      expect(err).toBe(`quorate: ${place}: there is no such path; quorate inspect tree shows what there is\n`);
      expect(status).toBe(1);
    }
  });
});

describe.concurrent('quorate inspect locks', () => {
  test('shows who holds and who waits, in order, with token, time and session, at a path and below', async ({
    bed,
    place,
    session,
  }) => {
    const [a, b, c] = [await session(), await session(), await session()];
    const path = `${place}/locks/cab-42`;
    const held = await new Lock(a, path, { id: 'node-a' }).acquire();
    const lock = new Lock(b, path, { id: 'node-b' });
    const second = lock.acquire();
    const [waiter] = await waiting(lock, 1);
    const other = await new Lock(c, `${place}/locks/cab-7`, { id: 'node-c' }).acquire();

    const flags = ['--zookeeper', bed.zookeeper.url];
    const { status, out, err } = await call(['inspect', 'locks', place, ...flags, '--json']);
    expect(err).toBe('');
    const holder = { id: 'node-a', token: String(held.token), session: hex(a) };
    expect(JSON.parse(out)).toMatchObject({
      complete: true,
      locks: [
        {
          path,
          kind: 'lock',
          holders: [holder],
          waiters: [
            { id: 'node-b', token: String(waiter?.token), session: hex(b), since: waiter?.since.toISOString() },
          ],
        },
        { path: `${place}/locks/cab-7`, holders: [{ id: 'node-c', token: String(other.token) }], waiters: [] },
      ],
    });
    expect(status).toBe(0);

    const text = await call(['inspect', 'locks', path], { QUORATE_ZOOKEEPER: bed.zookeeper.url });
    const [heading, first, next, ...rest] = text.out.trimEnd().split('\n');
    expect(heading).toMatch(/^LOCK +STATE +ID +TOKEN +SINCE +SESSION$/);
    expect(first).toMatch(new RegExp(`^${path} +holds +node-a +${held.token} +20\\S+Z +${hex(a)}$`));
    expect(next).toMatch(new RegExp(`^ +waits +node-b +${waiter?.token} +20\\S+Z +${hex(b)}$`));
    expect(rest).toEqual([]);
    await held.release();
    await (await second).release();
    await other.release();
  });

  test('tells readers from writers, and shows the permits of a semaphore', async ({ bed, place, session }) => {
    const [a, b] = [await session(), await session()];
    const readers = new ReadWriteLock(a, `${place}/rw`, { id: 'reader' });
    const reading = [await readers.read.acquire(), await readers.read.acquire()];
    const write = new ReadWriteLock(b, `${place}/rw`, { id: 'writer' }).write;
    const writing = write.acquire();
    await waiting(write, 1);
    const permit = await new Semaphore(b, `${place}/semaphore`, { permits: 2, id: 'uploader' }).acquire();
    const { out } = await call(['inspect', 'locks', place, '--zookeeper', bed.zookeeper.url]);
    const rows = out.split('\n').map((row) => row.replace(/ +\d+ +20\S+Z .*$/, '').trim());
    expect(rows.filter((row) => !row.startsWith(`${place}/semaphore/locks`))).toEqual([
      expect.stringMatching(/^LOCK/),
      expect.stringMatching(/\/rw +holds to read +reader$/),
      expect.stringMatching(/^holds to read +reader$/),
      expect.stringMatching(/^waits to write +writer$/),
      expect.stringMatching(/\/semaphore\/leases +holds a permit +uploader$/),
      '',
    ]);
    for (const lease of [...reading, permit]) await lease.release();
    await (await writing).release();
  });

  test('is bounded, and says what it leaves out', async ({ bed, place, session }) => {
    const zk = await session();
    await zk.create(`${place}/long`, '', { parents: true });
    for (let number = 0; number < 12; number += 1)
      await zk.create(`${place}/long/lock-`, `w${number}`, { mode: 'ephemeral-sequential' });
    await zk.create(`${place}/short`, '');
    await zk.create(`${place}/short/lock-`, 'x', { mode: 'ephemeral-sequential' });
    const flags = ['--zookeeper', bed.zookeeper.url, '--limit', '5'];
    const { out } = await call(['inspect', 'locks', place, ...flags]);
    expect(out).toContain('w4');
    expect(out).not.toContain('w5');
    expect(out).toContain(
      `… 7 more at ${place}/long\n… 1 more paths; --limit shows more, or name a path further down\n`,
    );
    const { locks, complete } = JSON.parse((await call(['inspect', 'locks', place, ...flags, '--json'])).out);
    expect(locks).toMatchObject([{ more: 7 }]);
    expect(complete).toBe(false);
  });

  test('says when there is nobody', async ({ bed, place, session }) => {
    await (await session()).create(place);
    const { status, out } = await call(['inspect', 'locks', place, '--zookeeper', bed.zookeeper.url]);
    expect(out).toBe(`Nobody holds a lock, or waits for one, at or below ${place}.\n`);
    expect(status).toBe(0);
  });

  test('tells of a path that is used for something else beside', async ({ bed, place, session }) => {
    const zk = await session();
    await zk.create(`${place}/mixed`, 'data of somebody', { parents: true });
    await zk.create(`${place}/mixed/lock-`, 'x', { mode: 'ephemeral-sequential' });
    const { status, out } = await call(['inspect', 'locks', place, '--zookeeper', bed.zookeeper.url]);
    expect(out).toMatch(/^! \S+\/mixed: expected a lock, found data of its own/m);
    expect(status).toBe(0);
  });
});

describe.concurrent('quorate inspect leaders', () => {
  test('shows who leads and who stands, with what they tell of themselves', async ({ bed, place, session }) => {
    const [a, b] = [await session(), await session()];
    const path = `${place}/leader`;
    const leader = await new Election(a, path, { id: 'node-1', data: 'http://10.0.0.1:8080' }).campaign();
    const candidate = new Election(b, path, { id: 'node-2' });
    const over = new AbortController();
    const standing = candidate.campaign({ signal: over.signal }).catch(() => undefined);
    await eventually('both stand', async () => (await candidate.candidates()).length === 2);
    const flags = ['--zookeeper', bed.zookeeper.url];
    const { out } = await call(['inspect', 'leaders', place, ...flags, '--json']);
    expect(JSON.parse(out)).toMatchObject({
      elections: [
        {
          path,
          leader: { id: 'node-1', token: String(leader.token), session: hex(a), data: 'http://10.0.0.1:8080' },
          candidates: [{ id: 'node-2', session: hex(b), data: '' }],
        },
      ],
    });
    const text = (await call(['inspect', 'leaders', path, ...flags])).out;
    expect(text).toMatch(/^ELECTION +STATE +ID +TOKEN +SINCE +SESSION +DATA\n/);
    expect(text).toMatch(/leads +node-1 .* http:\/\/10\.0\.0\.1:8080\n +stands +node-2 /);
    const raised = (await call(['inspect', 'leaders', path, ...flags, '--token-epoch', '2'])).out;
    expect(raised).toContain(` ${leader.token + 2n * 2n ** 48n} `);
    expect((await call(['inspect', 'leaders', path, ...flags, '--token-epoch', 'x'])).err).toContain(
      'tokenEpoch: expected',
    );
    over.abort();
    await standing;
  });
});

describe.concurrent('quorate inspect tree', () => {
  test('shows what there is, how large, and whose', async ({ bed, place, session }) => {
    const zk = await session();
    await zk.create(`${place}/config/limits`, '{"max":10}', { parents: true });
    await zk.set(`${place}/config/limits`, '{"max":11}');
    await zk.create(`${place}/members`, '', { mode: 'container' });
    await zk.create(`${place}/members/one`, '1', { mode: 'ephemeral' });
    const flags = ['--zookeeper', bed.zookeeper.url];
    const { nodes, complete } = JSON.parse((await call(['inspect', 'tree', place, ...flags, '--json'])).out);
    expect(complete).toBe(true);
    expect(nodes).toMatchObject([
      { path: place, children: 2, owner: null },
      { path: `${place}/config`, children: 1 },
      { path: `${place}/members`, children: 1, owner: null },
      { path: `${place}/config/limits`, bytes: 10, version: 1, children: 0, owner: null },
      { path: `${place}/members/one`, bytes: 1, owner: hex(zk) },
    ]);
    const text = (await call(['inspect', 'tree', place, ...flags])).out.trimEnd().split('\n');
    expect(text.map((line) => /^ *\S+/.exec(line)?.[0])).toEqual([
      'NODE',
      place,
      '  config',
      '    limits',
      '  members',
      '    one',
    ]);
    expect(text[3]).toMatch(/limits +10 B +1 +20\S+Z$/);
    expect(text[5]).toMatch(new RegExp(`one +1 B +0 +20\\S+Z +${hex(zk)}$`));
  });

  test('goes as deep and shows as much as it is told', async ({ bed, place, session }) => {
    const zk = await session();
    for (const name of ['a', 'b', 'c']) await zk.create(`${place}/${name}/below`, '', { parents: true });
    const flags = ['--zookeeper', bed.zookeeper.url];
    const shallow = JSON.parse((await call(['inspect', 'tree', place, ...flags, '--depth', '1', '--json'])).out);
    expect(shallow.nodes).toHaveLength(4);
    const few = await call(['inspect', 'tree', place, ...flags, '--limit', '2']);
    expect(few.out.trimEnd().split('\n')).toHaveLength(4);
    expect(few.out).toContain('… 2 nodes only: --limit shows more');
    const whole = JSON.parse((await call(['inspect', 'tree', place, ...flags, '--limit', '7', '--json'])).out);
    expect(whole).toMatchObject({ complete: true, nodes: { length: 7 } });
  });

  test('shows that there is a node which may not be read', async ({ bed, place, session }) => {
    const zk = await session();
    await zk.addAuth({ scheme: 'digest', user: 'ann', password: 'secret' });
    await zk.create(`${place}/private`, '', { parents: true });
    await zk.setAcl(`${place}/private`, creatorAcl);
    const { status, out } = await call(['inspect', 'tree', place, '--zookeeper', bed.zookeeper.url]);
    expect(out).toMatch(/^ {2}private +no access$/m);
    expect(status).toBe(0);
  });
});

describe.concurrent('what others have written', () => {
  test.for(['locks', 'leaders', 'tree'])(
    'never reaches the terminal raw: %s',
    async (what, { bed, place, session }) => {
      const zk = await session();
      const path = `${place}/\u202etxt.exe`;
      await zk.create(path, '', { parents: true });
      const evil = '\u001b[2J\u001b]0;mine\u0007\u009b31m\r\u202eid\nhttp://\u001b[31mhere';
      await zk.create(`${path}/${what === 'leaders' ? 'latch-' : 'lock-'}`, evil, { mode: 'ephemeral-sequential' });
      const flags = ['--zookeeper', bed.zookeeper.url];
      for (const more of [[], ['--json']]) {
        const { status, out } = await call(['inspect', what, place, ...flags, ...more]);
        expect(status).toBe(0);
        expect(out.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
        expect(out).toContain(more.length === 0 ? '\\u{202e}txt.exe' : '\\u202etxt.exe');
      }
    },
  );
});

/** The states shown so far, one JSON document a line. */
function shown(child: Running): { locks: { path: string; holders: { id: string }[]; waiters: { id: string }[] }[] }[] {
  return child
    .printed()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

describe('quorate inspect --watch', () => {
  test('shows each change, also after the server was away, and ends well at Ctrl-C', async ({
    bed,
    place,
    session,
  }) => {
    const zk = await session();
    const flags = ['--zookeeper', bed.zookeeper.url, '--watch', '--json'];
    const child = quorate(['inspect', 'locks', `${place}/w`, ...flags]);
    await eventually('it watches', () => child.printed() === `{"missing":"${place}/w"}\n`);
    const lock = new Lock(zk, `${place}/w/lock`, { id: 'one' });
    const held = await lock.acquire();
    const latest = (): string =>
      JSON.stringify(
        shown(child)
          .at(-1)
          ?.locks.map(({ holders }) => holders.map(({ id }) => id)),
      );
    await eventually('the holder is shown', () => latest() === '[["one"]]');
    await bed.zookeeper.member(1).restart();
    await eventually('it says that the connection is gone', () =>
      child.complained().includes('the connection is gone'),
    );
    await held.release();
    await eventually('that nobody holds it is shown', () => latest() === '[]');
    const [count, next] = [shown(child).length, await lock.acquire()];
    await eventually('the next holder is shown', () => shown(child).length > count && latest() === '[["one"]]');
    child.kill('SIGINT');
    expect((await outcome(child)).status).toBe(0);
    await next.release();
  });

  test('ends at Ctrl-C when no server is to be reached', async ({ bed, place }) => {
    const child = quorate(['inspect', 'tree', '/', '--zookeeper', bed.zookeeper.url, '--watch']);
    await eventually('it watches', () => child.printed().includes('NODE'));
    expect(child.printed()).not.toContain(place);
    await bed.zookeeper.member(1).pause();
    child.kill('SIGINT');
    expect((await outcome(child)).status).toBe(0);
    await bed.zookeeper.member(1).resume();
  });
});
