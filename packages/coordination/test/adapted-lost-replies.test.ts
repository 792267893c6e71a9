import { type BedOf, eventually, Testbed } from '@quorate/testbed';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Election, Group, type Lease, Lock, Queue, ReadWriteLock } from '../src/index.ts';
import { losing } from './adapted.ts';
import { childrenOf, freshPath } from './conformance/store.ts';

// Over node-zookeeper-client a reply that is lost must be made up for as over our own client.
let bed: BedOf<{ zookeeper: 1 }>;
let witness: ZooKeeper;

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: 1 });
  witness = await connect(bed.zookeeper.url);
});
afterAll(async () => {
  await witness?.close();
  await bed?.stop();
});

const count = async (path: string): Promise<number> => (await childrenOf(witness, path)).length;

test('a lock whose create lost its reply is held, by one node', async () => {
  await using client = await losing(bed);
  const path = freshPath('lock');
  await witness.create(path);
  const lock = new Lock(client.zk, path);
  const lease = await client.loseReply({
    of: 'create',
    ask: () => lock.acquire(),
    isDone: async () => (await count(path)) === 1,
  });
  expect(lease.signal.aborted).toBe(false);
  expect((await lock.holders()).map(({ token }) => token)).toEqual([lease.token]);
  await lease.release();
  expect(await count(path)).toBe(0);
});

test('a candidate whose create lost its reply leads, and does not stand behind itself', async () => {
  await using client = await losing(bed);
  const path = freshPath('leader');
  await witness.create(path);
  const over = new AbortController();
  const terms: Lease[] = [];
  const term = async (lease: Lease): Promise<void> => {
    terms.push(lease);
    await new Promise((resolve) => lease.signal.addEventListener('abort', resolve, { once: true }));
  };
  const leading = client.loseReply({
    of: 'create',
    ask: () => new Election(client.zk, path).lead(term, { signal: over.signal }),
    isDone: async () => (await count(path)) === 1,
  });
  await eventually('a term', () => terms.length === 1, { within: 10_000 });
  expect(terms[0]?.signal.aborted).toBe(false);
  expect(await count(path)).toBe(1);
  over.abort();
  await leading;
});

test('a downgrade whose reply is lost has happened: it reads beside others, and the writing has ended', async () => {
  await using client = await losing(bed);
  const path = freshPath('downgrade');
  const lock = new ReadWriteLock(client.zk, path, { onSuspended: 'wait' });
  const writing = await lock.write.acquire();
  const reading = await client.loseReply({
    of: 'transaction',
    ask: () => lock.downgrade(writing),
    isDone: async () => (await childrenOf(witness, path)).some((name) => name.includes('__READ__')),
  });
  expect([writing.signal.aborted, reading.signal.aborted]).toEqual([true, false]);
  await (await new ReadWriteLock(witness, path).read.acquire({ timeout: 3_000 })).release();
  await reading.release();
  expect(await count(path)).toBe(0);
});

test('a join whose reply is lost makes one member', async () => {
  await using client = await losing(bed);
  const path = freshPath('group');
  await witness.create(path);
  const membership = await client.loseReply({
    of: 'create',
    ask: () => new Group(client.zk, path).join({ id: 'ann' }),
    isDone: async () => (await count(path)) === 1,
  });
  expect((await new Group(witness, path).members()).map(({ token }) => token)).toEqual([membership.token]);
  await membership.leave();
});

test('a join whose reply is lost waits for the session that has the id', async () => {
  await using client = await losing(bed);
  const path = freshPath('group');
  const former = await new Group(witness, path).join({ id: 'ann' });
  const joining = client.loseReply({
    of: 'create',
    ask: () => new Group(client.zk, path).join({ id: 'ann' }, { timeout: 5_000 }),
    isDone: async () => true,
    meanwhile: () => void former.leave(),
  });
  const membership = await joining;
  expect((await new Group(witness, path).members()).map(({ session }) => session)).toEqual([client.zk.id]);
  await membership.leave();
});

test('an aborted join whose reply is lost leaves no member', async () => {
  await using client = await losing(bed);
  const path = freshPath('group');
  await witness.create(path);
  const [group, enough] = [new Group(client.zk, path), new AbortController()];
  const joining = client.loseReply({
    of: 'create',
    ask: () => group.join({ id: 'ann' }, { signal: enough.signal }),
    isDone: async () => (await count(path)) === 1,
    meanwhile: () => enough.abort(new Error('enough')),
  });
  await expect(joining).rejects.toThrow('enough');
  await eventually('it is gone', async () => (await count(path)) === 0);
  await (await group.join({ id: 'ann' }, { timeout: 2_000 })).leave();
});

test('an item whose put and take lost their replies is there once, and is taken once', async () => {
  await using client = await losing(bed);
  const path = freshPath('queue');
  const queue = new Queue<string>(client.zk, path);
  await queue.put('first');
  await client.loseReply({
    of: 'transaction',
    ask: () => queue.put('second'),
    isDone: async () => (await count(`${path}/items`)) === 2,
  });
  expect(await count(`${path}/items`)).toBe(2);
  const item = await client.loseReply({
    of: 'transaction',
    ask: () => queue.take({ timeout: 5_000 }),
    isDone: async () => (await count(`${path}/claims`)) === 1,
  });
  expect(item.data).toBe('first');
  await item.done();
  expect([await count(`${path}/items`), await count(`${path}/claims`)]).toEqual([1, 0]);
});
