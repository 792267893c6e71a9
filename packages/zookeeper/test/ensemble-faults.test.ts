import { createHash } from 'node:crypto';
import { eventually, type Server, Testbed } from '@quorate/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type State, type ZooKeeper } from '../src/index.ts';
import { codeOf } from './conformance.ts';

let bed: Testbed & {
  zookeeper: { url: string; members: readonly Server[]; leader(): Promise<Server | undefined> };
};

beforeAll(async () => {
  // The superuser's password is `test`: only the superuser may change the ensemble.
  const digest = createHash('sha1').update('super:test').digest('base64');
  const jvm = [`-Dzookeeper.DigestAuthenticationProvider.superDigest=super:${digest}`];
  bed = await Testbed.start({ zookeeper: { members: 3, jvm } });
});
afterAll(() => bed?.[Symbol.asyncDispose]());

async function comesTo(zk: ZooKeeper, wanted: State): Promise<void> {
  if (zk.state === wanted) return;
  for await (const state of zk.states()) if (state === wanted) return;
  throw new Error(`the session was over before it was ${wanted}`);
}

test('each member is killed and restarted in turn: the session, its nodes and its watches live on', async () => {
  await using zk = await connect(bed.zookeeper.url, { sessionTimeout: 20_000 });
  await zk.create('/turn', '');
  const { stat } = await zk.create('/turn/e', '', { mode: 'ephemeral' });
  let written = 0;
  for (const member of bed.zookeeper.members) {
    const changed = new Promise((resolve) => void zk.get('/turn', { watch: resolve }));
    await member.kill();
    await eventually('a write', async () => {
      // What is ambiguous is read before it is written again.
      const { version } = (await zk.get('/turn')).stat;
      await zk.set('/turn', String(written), { version });
      return true;
    });
    written += 1;
    expect(await changed).toEqual({ type: 'changed', path: '/turn' });
    await member.restart();
  }
  expect((await zk.get('/turn/e')).stat).toEqual(stat);
  expect(stat.ephemeralOwner).toBe(zk.id);
});

test('a session that moves to another member takes its requests with it', async () => {
  const [first, second] = ['zookeeper-1', 'zookeeper-2'].map((member) => bed.link('mover', member));
  await second?.set({ refuse: true });
  await using zk = await connect(`${await first?.address},${await second?.address}`, { sessionTimeout: 10_000 });
  await zk.create('/moved', '', { mode: 'ephemeral' });
  const { id } = zk;
  await second?.heal();
  const suspended = comesTo(zk, 'suspended');
  await first?.set({ refuse: true });
  await suspended;
  await zk.set('/moved', 'from the second');
  expect(zk.id).toBe(id);
  await using other = await connect(bed.zookeeper.url);
  await other.sync('/moved');
  expect((await other.get('/moved')).data.toString()).toBe('from the second');
});

test('without a quorum the session is suspended, then lost by our clock; with one again, a new one begins', async () => {
  const [first, second] = bed.zookeeper.members;
  await using zk = await connect(bed.zookeeper.url, { sessionTimeout: 2_000 });
  const states = zk.states();
  await first?.kill();
  await second?.kill();
  const seen: State[] = [];
  for await (const state of states) seen.push(state);
  expect(seen.at(-1)).toBe('lost');
  expect(seen).toContain('suspended');
  expect(await codeOf(zk.get('/'))).toBe('session-lost');

  await Promise.all([first?.restart(), second?.restart()]);
  await eventually('a session that can write', async () => {
    await using after = await connect(bed.zookeeper.url, { timeout: 5_000 });
    await after.create('/after', '', { mode: 'ephemeral' });
    return true;
  });
});

test('the members of the ensemble are told, and one leaves and joins again', async () => {
  // A follower leaves: without its leader the ensemble would have to elect another, and drop us.
  const leader = await eventually('a leader', () => bed.zookeeper.leader());
  const number = bed.zookeeper.members.findIndex((member) => member !== leader) + 1;
  await using zk = await connect(`${leader.address}/below/a/chroot`);
  const before = await zk.config();
  expect(before.members).toHaveLength(3);
  const joining = before.members.find((member) => member.startsWith(`server.${number}=`)) ?? '';
  expect(await codeOf(zk.reconfig({ leaving: [number] }))).toBe('no-auth');
  await zk.addAuth({ scheme: 'digest', user: 'super', password: 'test' });
  expect(await zk.whoAmI()).toContainEqual(expect.objectContaining({ scheme: 'super' }));
  const told = new Promise((resolve) => void zk.config({ watch: resolve }));
  const without = await eventually('the change', () => zk.reconfig({ leaving: [number], fromVersion: before.version }));
  expect(without.members).toHaveLength(2);
  expect(without.version).toBeGreaterThan(before.version);
  expect(await told).toEqual({ type: 'changed', path: '/zookeeper/config' });
  expect(await codeOf(zk.reconfig({ joining: [joining], fromVersion: before.version }))).toBe('bad-version');
  const again = await eventually('the change back', () => zk.reconfig({ joining: [joining] }));
  expect(again.members).toHaveLength(3);
});

test.each([
  ['change', {}],
  ['members', { members: ['a'], leaving: [1] }],
  ['joining', { joining: 'server.4=…' }],
  ['fromVersion', { leaving: [1], fromVersion: 3 }],
])('a change of the ensemble with a bad %s is refused', async (argument, change) => {
  await using zk = await connect(bed.zookeeper.url);
  await expect(zk.reconfig(change as never)).rejects.toMatchObject({ code: 'invalid-argument', argument });
});
