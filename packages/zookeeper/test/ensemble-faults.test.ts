import { eventually, type Server, Testbed } from '@quorate/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type State, type ZooKeeper } from '../src/index.ts';
import { codeOf } from './conformance.ts';
import { FaultyLink } from './faulty-link.ts';

let bed: Testbed & {
  zookeeper: { url: string; members: readonly Server[]; leader(): Promise<Server | undefined> };
};

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: { members: 3, jvm: ['-Dreadonlymode.enabled=true'] } });
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
  const [first, second] = bed.zookeeper.members;
  await using link = await FaultyLink.to(first?.address ?? '');
  await using zk = await connect(link.address, { sessionTimeout: 10_000 });
  await zk.create('/moved', '', { mode: 'ephemeral' });
  const { id } = zk;
  link.redirect(second?.address ?? '');
  const suspended = comesTo(zk, 'suspended');
  link.reset();
  await suspended;
  await zk.set('/moved', 'from the second');
  expect(zk.id).toBe(id);
  await using other = await connect(bed.zookeeper.url);
  await other.sync('/moved');
  expect((await other.get('/moved')).data.toString()).toBe('from the second');
});

test('without a quorum the session is suspended, then lost by our clock; with one again, a new one begins', async () => {
  const [first, second, third] = bed.zookeeper.members;
  await using zk = await connect(bed.zookeeper.url, { sessionTimeout: 2_000 });
  const states = zk.states();
  await first?.kill();
  await second?.kill();
  const seen: State[] = [];
  for await (const state of states) seen.push(state);
  expect(seen.at(-1)).toBe('lost');
  expect(seen).toContain('suspended');
  expect(await codeOf(zk.get('/'))).toBe('session-lost');

  // The third is cut off now. Who accepts that may read from it, and moves on when there is a quorum.
  await using reader = await connect(third?.address ?? '', { readOnly: true, sessionTimeout: 4_000 });
  expect(reader.readOnly).toBe(true);
  expect((await reader.children('/')).names).toContain('zookeeper');
  expect(await codeOf(reader.create('/never'))).toBe('not-read-only');
  await first?.restart();
  await second?.restart();
  await eventually('a session that can write', async () => {
    await using after = await connect(bed.zookeeper.url, { timeout: 5_000 });
    await after.create('/after', '', { mode: 'ephemeral' });
    return true;
  });
  await eventually('the reader has moved on', () => !reader.readOnly && reader.state === 'connected');
  await reader.create('/from-the-reader', '', { mode: 'ephemeral' });
  expect((await reader.get('/from-the-reader')).stat.ephemeralOwner).toBe(reader.id);
});

test('the members of the ensemble are told', async () => {
  await using zk = await connect(bed.zookeeper.url, { auth: { scheme: 'digest', user: 'super', password: 'x' } });
  const { members, version } = await zk.config();
  expect(members).toHaveLength(3);
  expect(version).toBeTypeOf('bigint');
  // Only the superuser may, who is not set up here: the request is understood and refused.
  expect(await codeOf(zk.reconfig({ leaving: [3] }))).toBe('no-auth');
  expect(await codeOf(zk.reconfig({}))).toBe('invalid-argument');
});
