import { type BedOf, Testbed } from '@quorate/testbed';
import type { ZooKeeper } from '@quorate/zookeeper';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AnyLock,
  Barrier,
  Counter,
  DoubleBarrier,
  Election,
  Group,
  Lock,
  Mirror,
  multiLock,
  Queue,
  ReadWriteLock,
  Semaphore,
  Settings,
} from '../src/index.ts';
import { adapted } from './adapted.ts';
import { limits } from './conformance/limits-schema.ts';
import { codeOf, freshPath } from './conformance/store.ts';

let bed: BedOf<{ zookeeper: 1 }>;
let zk: ZooKeeper;

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: 1 });
  zk = await adapted(bed.zookeeper.url);
});
afterAll(async () => {
  await zk?.close();
  await bed?.stop();
});

const held = async (lock: Pick<AnyLock, 'acquire'>): Promise<void> => (await lock.acquire()).release();

const twice = async (barrier: DoubleBarrier): Promise<void> => {
  for (let round = 0; round < 2; round += 1) {
    await barrier.enter();
    await barrier.leave();
  }
};

// The table in the README.
const works: Record<string, (path: string) => Promise<unknown>> = {
  'a lock': (path) => held(new Lock(zk, path)),
  'a lock that is tried': async (path) => (await new Lock(zk, path).tryAcquire())?.release(),
  'a read-write lock': async (path) => {
    const lock = new ReadWriteLock(zk, path);
    await held(lock.read);
    await (await lock.downgrade(await lock.write.acquire())).release();
  },
  'a semaphore': (path) => held(new Semaphore(zk, path, { permits: 2 })),
  'several locks': (path) => multiLock([new Lock(zk, `${path}/a`), new Lock(zk, `${path}/b`)]).with(() => undefined),
  'an election': async (path) => (await new Election(zk, path).campaign()).release(),
  'who leads': async (path) => {
    await using lease = await new Election(zk, path).campaign();
    const { value: leader } = await new Election(zk, path).observe().next();
    expect(leader?.token).toBe(lease.token);
  },
  'who holds': async (path) => {
    await using _ = await new Lock(zk, path).acquire();
    expect(await new Lock(zk, path).holders()).toHaveLength(1);
  },
  'a lock that is asked for': async (path) => {
    await using _ = await new Lock(zk, path).acquire();
    expect(await new Lock(zk, path).revoke()).toBe(1);
  },
  'who stands': async (path) => {
    await using _ = await new Election(zk, path).campaign();
    expect(await new Election(zk, path).candidates()).toHaveLength(1);
  },
  'a barrier': async (path) => {
    const barrier = new Barrier(zk, path);
    await barrier.raise();
    await barrier.lift();
    await barrier.wait();
  },
  'a double barrier, also resized': async (path) => {
    const barrier = new DoubleBarrier(zk, path, { size: 2 });
    await barrier.resize(1);
    await twice(barrier);
  },
  'a member of a group': async (path) => (await new Group(zk, path).join({ id: 'ann' })).leave(),
  'the members of a group': async (path) => {
    const group = new Group(zk, path);
    await using one = await group.join({ id: 'ann', data: 'here' });
    expect(await group.members()).toMatchObject([{ id: 'ann', token: one.token }]);
  },
  'a counter': async (path) => {
    const counter = new Counter(zk, path);
    expect([await counter.add(2n), await counter.add(3n)]).toEqual([2n, 5n]);
  },
  'settings, but for watching them': async (path) => {
    const settings = new Settings(zk, path, limits, { default: { max: 0, names: [] } });
    await settings.set({ max: 1, names: [] });
    await settings.update(({ max }) => ({ max: max + 1, names: [] }));
    expect((await settings.get()).value.max).toBe(2);
  },
  'a queue': async (path) => {
    const queue = new Queue<string>(zk, path);
    await queue.put('a ride');
    await (await queue.take()).done();
  },
};

test.each(Object.keys(works))('over node-zookeeper-client there is %s', async (name) => {
  await works[name]?.(freshPath('adapted'));
});

// A transaction that creates and deletes the same node; and watches that stay.
const unsupported: Record<string, (path: string) => Promise<unknown>> = {
  'to resize a semaphore': (path) => new Semaphore(zk, path, { permits: 1 }).resize(2),
  'to watch the members of a group': (path) => new Group(zk, path).watch().next(),
  'to watch settings': (path) => new Settings(zk, path, limits).watch().next(),
  'a mirror': (path) => new Mirror(zk, path).ready,
};

test.each(Object.keys(unsupported))('over node-zookeeper-client it is not supported: %s', async (name) => {
  expect(await codeOf(unsupported[name]?.(freshPath('adapted')) ?? Promise.resolve())).toBe('unsupported');
});
