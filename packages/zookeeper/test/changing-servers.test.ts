import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type BedOf, eventually, type Server, Testbed } from '@quorate/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, Sessions, type StateChange, type ZooKeeper } from '../src/index.ts';
import { codeOf } from './conformance.ts';

let bed: BedOf<{ zookeeper: { members: 3; spares: 1 } }>;
let admin: ZooKeeper;
const sessionTimeout = 10_000;

beforeAll(async () => {
  const digest = createHash('sha1').update('super:test').digest('base64');
  const jvm = [`-Dzookeeper.DigestAuthenticationProvider.superDigest=super:${digest}`];
  // One member that is left is an ensemble as well.
  const config = { standaloneEnabled: false };
  bed = await Testbed.start({ zookeeper: { members: 3, spares: 1, jvm, config } });
  admin = await connect(bed.zookeeper.servers.map(({ address }) => address).join(','), {
    auth: { scheme: 'digest', user: 'super', password: 'test' },
  });
});
afterAll(async () => {
  await admin?.close({ signal: AbortSignal.timeout(1_000) });
  await bed?.stop();
});

/** A change of the ensemble may cost the leader, and with it the connection: then it is asked for again. */
async function reconfigured(change: Parameters<ZooKeeper['reconfig']>[0], members: number): Promise<void> {
  await eventually('the ensemble has changed', async () => {
    await admin.sync('/');
    if ((await admin.config()).members.length !== members) await admin.reconfig(change);
    return true;
  });
}

const leave = (server: Server, left: number): Promise<void> =>
  reconfigured({ leaving: [bed.zookeeper.servers.indexOf(server) + 1] }, left);
const join = (server: Server, members: number): Promise<void> =>
  reconfigured({ joining: [bed.zookeeper.lineOf(server)] }, members);

/** The servers that each session has come to, one after the other. */
function visits(): Disposable & { of(zk: ZooKeeper): string[] } {
  const seen: StateChange[] = [];
  const note = (change: unknown): void => void seen.push(change as StateChange);
  subscribe('quorate.zookeeper.state', note);
  return {
    of: ({ id }) =>
      seen.flatMap(({ sessionId, state, server }) =>
        sessionId === id && state === 'connected' ? [server ?? 'nowhere'] : [],
      ),
    [Symbol.dispose]: () => unsubscribe('quorate.zookeeper.state', note),
  };
}

test('a function that gives a new list leads the session there', async () => {
  const [first, second] = bed.zookeeper.members as [Server, Server];
  using seen = visits();
  let servers = `${first.address}/`;
  await using zk = await connect(async () => servers, { sessionTimeout });
  const { path } = await zk.create('/led-', '', { mode: 'ephemeral-sequential' });
  servers = second.address;
  await first.kill();
  await eventually('it is there', () => seen.of(zk).length === 2);
  expect(seen.of(zk)).toEqual([first.address, second.address]);
  expect((await zk.get(path)).stat.ephemeralOwner).toBe(zk.id);
  await first.restart();
});

const brokenFunctions: readonly (readonly [string, () => string | Promise<string>])[] = [
  [
    'throws',
    () => {
      throw new Error('no registry');
    },
  ],
  ['hangs', () => new Promise<string>(() => undefined)],
  ['gives nonsense', () => 'zk 1'],
  ['gives another chroot', () => `${bed.zookeeper.url}/elsewhere`],
];

test.each(brokenFunctions)('a function that %s does not stop a session from connecting again', async (_, broken) => {
  const link = bed.link('led', 'zookeeper-1');
  const address = await link.address;
  let answer: () => string | Promise<string> = () => address;
  await using zk = await connect(() => answer(), { sessionTimeout: 4_000 });
  answer = broken;
  const before = zk.id;
  for (let round = 0; round < 2; round += 1) {
    const suspended = new Promise<void>((resolve) => zk.on('state', (state) => state === 'suspended' && resolve()));
    await link.reset();
    await suspended;
    await zk.sync('/');
  }
  expect(zk.id).toBe(before);
});

test('a function that fails at first is told of when no session comes about', async () => {
  const failing = connect(
    () => {
      throw new Error('no registry');
    },
    { timeout: 200 },
  );
  await expect(failing).rejects.toThrow('servers: the function has failed (no registry)');
  await expect(connect(() => 'zk 1')).rejects.toMatchObject({ code: 'invalid-argument', argument: 'servers' });
  await using late = new Sessions(async () => 'zk 1');
  expect(await codeOf(late.session())).toBe('invalid-argument');
  expect(late.health()).toMatchObject({ status: 'fail', detail: expect.stringContaining('zk 1') });
});

test('where the function fails and its last list leads nowhere, both are told', async () => {
  const link = bed.link('nowhere', 'zookeeper-1');
  const address = await link.address;
  await link.set({ refuse: true });
  let calls = 0;
  const connecting = connect(
    () => {
      calls += 1;
      if (calls > 1) throw new Error('no registry');
      return address;
    },
    { timeout: 1_000 },
  );
  await expect(connecting).rejects.toThrow(`(no registry); of the last list: ${address}: `);
});

test('sessions keep the last list from one to the next', async () => {
  const link = bed.link('kept', 'zookeeper-1');
  const address = await link.address;
  let calls = 0;
  await using sessions = new Sessions(
    () => {
      calls += 1;
      if (calls > 1) throw new Error('no registry');
      return address;
    },
    { sessionTimeout: 1_000 },
  );
  const first = await sessions.session();
  await link.set({ refuse: true });
  await eventually('it is over', () => first.lost.aborted);
  await link.heal();
  expect((await sessions.session()).id).not.toBe(first.id);
});

test('a session leaves a member that was removed and still runs, and loses no write by that', async () => {
  const leader = await eventually('a leader', () => bed.zookeeper.leader());
  const removed = bed.zookeeper.members.find((member) => member !== leader) as Server;
  await admin.create('/below/a/chroot', '', { parents: true });
  using seen = visits();
  await using zk = await connect(`${removed.address}/below/a/chroot`, { sessionTimeout, followReconfig: true });
  await using unmoved = await connect(removed.address, { sessionTimeout });
  const first = seen.of(zk);
  expect(first).toEqual([removed.address]);
  let version = (await zk.create('/n')).stat.version;
  const stop = new AbortController();
  // Always a few under way. One whose reply were lost would be ambiguous.
  const writing = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (!stop.signal.aborted) version = Math.max(version, (await zk.set('/n', '')).version);
    }),
  );
  writing.catch(() => undefined);
  await leave(removed, 2);
  await eventually('it has moved', () => seen.of(zk).length === 2);
  const moved = version;
  await eventually('it goes on', () => version > moved + 100);
  stop.abort();
  await writing;
  const others = bed.zookeeper.members.filter((member) => member !== removed).map(({ address }) => address);
  expect(others).toContain(seen.of(zk)[1]);
  // Who does not follow stays, and is served.
  expect(seen.of(unmoved)).toEqual([removed.address]);
  // Who comes to it later, by a list that others are on as well, leaves it too.
  const list = [removed.address, ...others].join(',');
  await using late = await eventually('a session begins there', async () => {
    const zk = await connect(list, { sessionTimeout, followReconfig: true });
    if (seen.of(zk)[0] === removed.address) return zk;
    await zk.close();
    return undefined;
  });
  await eventually('it has left', () => others.includes(seen.of(late).at(-1) ?? ''));
  await unmoved.set('/below/a/chroot/n', '');
  await join(removed, 3);
});

test('a session that comes by an address of its own, which the ensemble does not know, stays where it is', async () => {
  const link = bed.link('by-another-address', 'zookeeper-1');
  using seen = visits();
  await using zk = await connect(await link.address, { sessionTimeout, followReconfig: true });
  const at = seen.of(zk);
  const [spare] = bed.zookeeper.spares as [Server];
  await join(spare, 4);
  await eventually('it knows', async () => (await zk.config()).members.length === 4);
  await leave(spare, 3);
  await zk.sync('/');
  expect(seen.of(zk)).toEqual(at);
});

test('a session lives on through an added member when all that it was given are gone, one after the other', async () => {
  const [spare] = bed.zookeeper.spares as [Server];
  using seen = visits();
  await using zk = await connect(bed.zookeeper.url, { sessionTimeout, followReconfig: true });
  await using sessions = new Sessions(bed.zookeeper.url, { sessionTimeout: 2_000, followReconfig: true });
  const before = await sessions.session();
  await zk.create('/lasts', '', { mode: 'ephemeral' });
  await join(spare, 4);
  let left = 4;
  for (const member of bed.zookeeper.members) {
    left -= 1;
    await leave(member, left);
    await member.stop();
    await eventually('it is served', () => zk.exists('/lasts'));
  }
  expect(zk.lost.aborted).toBe(false);
  expect((await zk.get('/lasts')).stat.ephemeralOwner).toBe(zk.id);
  expect(seen.of(zk).at(-1)).toBe(spare.address);
  // What one session has learnt the next one knows.
  await spare.kill();
  await eventually('it is over', () => before.lost.aborted);
  await spare.restart();
  await using after = await sessions.session();
  expect(seen.of(after)).toEqual([spare.address]);
});
