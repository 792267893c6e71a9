import { setImmediate as turn } from 'node:timers/promises';
import { type BedOf, eventually, Testbed } from '@quorate/testbed';
import { connect, openAcl, Sessions, type ZooKeeper } from '@quorate/zookeeper';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Group, type Membership } from '../src/index.ts';
import { freshPath } from './conformance/store.ts';

let bed: BedOf<{ zookeeper: { members: 1; config: { tickTime: number } } }>;
let witness: ZooKeeper;
let links = 0;

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 100 } } });
  witness = await connect(bed.zookeeper.url);
});
afterAll(async () => {
  await witness?.close();
  await bed?.stop();
});

/** Somebody who has joined as `one`, and whose sessions can be taken away. */
async function lasting() {
  links += 1;
  const path = freshPath('lasting-membership');
  const link = bed.link(`lasting-${links}`, 'zookeeper-1');
  const sessions = new Sessions(await link.address, { sessionTimeout: 1_000 });
  const membership = await new Group(sessions, path).join({ id: 'one', data: 'one' });
  const data = async (): Promise<string | undefined> => {
    const [member] = await new Group(witness, path).members();
    return member?.data.toString();
  };
  return {
    path,
    membership,
    data,
    async suspend() {
      const zk = await sessions.session();
      await link.set({ refuse: true });
      await eventually('it is suspended', () => zk.state === 'suspended', { every: 5 });
    },
    /** Resolves when the session is over and the node gone. Until `heal` there is no other one. */
    async lose() {
      const zk = await sessions.session();
      await link.set({ refuse: true });
      await eventually('the session is over', () => zk.lost.aborted);
      await eventually('nobody is seen', async () => (await data()) === undefined);
    },
    heal: () => link.heal(),
    async [Symbol.asyncDispose]() {
      await link.heal();
      await sessions.stop();
    },
  };
}

test.concurrent.each<[string, (membership: Membership) => Promise<void>]>([
  ['refused for its size', (membership) => membership.update(Buffer.alloc(2_000_000))],
  ['refused for its kind', (membership) => membership.update(42 as never)],
  ['aborted before it began', (membership) => membership.update('two', { signal: AbortSignal.abort() })],
])('data that was %s is not what the next session begins with', async (_, update) => {
  await using one = await lasting();
  await expect(update(one.membership)).rejects.toThrow();
  expect(await one.data()).toBe('one');
  await one.lose();
  await one.heal();
  await eventually('it is back', async () => (await one.data()) === 'one', { within: 10_000 });
  await one.membership.update('three');
  expect(await one.data()).toBe('three');
  expect(one.membership.signal.aborted).toBe(false);
});

test.concurrent('data that was given up while the connection was gone is not what the next session begins with', async () => {
  await using one = await lasting();
  await one.suspend();
  const enough = new AbortController();
  const given = one.membership.update('given up', { signal: enough.signal });
  // By then it waits for a connection.
  await turn();
  enough.abort();
  await expect(given).rejects.toBe(enough.signal.reason);
  await one.lose();
  await one.heal();
  await eventually('it is back', async () => (await one.data()) === 'one', { within: 10_000 });
});

test.concurrent('between two sessions: what was wanted and given up is not told, what is wanted is, and the token is the latest', async () => {
  await using one = await lasting();
  const { token } = one.membership;
  await one.lose();
  const enough = new AbortController();
  const given = one.membership.update('given up', { signal: enough.signal });
  const wanted = one.membership.update('wanted');
  enough.abort();
  await expect(given).rejects.toBe(enough.signal.reason);
  expect(one.membership.token).toBe(token);
  await one.heal();
  await wanted;
  expect(await one.data()).toBe('wanted');
  expect(one.membership.token).toBeGreaterThan(token);
});

test.concurrent('data of which nobody knows whether it was told is told in the next session', async () => {
  await using one = await lasting();
  const updating = one.membership.update('two');
  await one.lose();
  await one.heal();
  await updating;
  expect(await one.data()).toBe('two');
});

test.concurrent('a member that is refused for good in the next session is told why, and is none', async () => {
  await using one = await lasting();
  await one.lose();
  await witness.setAcl(one.path, [{ permissions: ['read', 'admin'], scheme: 'world', id: 'anyone' }]);
  await one.heal();
  await eventually('it has ended', () => one.membership.signal.aborted, { within: 10_000 });
  expect(one.membership.signal.reason).toMatchObject({ code: 'lease-lost', cause: { code: 'no-auth' } });
  await witness.setAcl(one.path, openAcl);
  await expect(one.membership.update('two')).rejects.toMatchObject({ code: 'lease-lost', happened: 'no' });
  await one.membership.leave();
});

test.concurrent('a member whose id another has taken meanwhile waits for that one to go', async () => {
  await using one = await lasting();
  const { token } = one.membership;
  await one.lose();
  const other = await new Group(witness, one.path).join({ id: 'one', data: 'other' });
  await one.heal();
  expect([one.membership.token, one.membership.signal.aborted]).toEqual([token, false]);
  await other.leave();
  await eventually('it is back', async () => (await one.data()) === 'one', { within: 10_000 });
  // The witness may see it before the member has its answer.
  await eventually('it knows', () => one.membership.token > other.token);
  await one.membership.leave();
  await expect(one.membership.update('two')).rejects.toMatchObject({ code: 'lease-released', happened: 'no' });
});
