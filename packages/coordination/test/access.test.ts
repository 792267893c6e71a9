import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { type Acl, type ConnectOptions, connect, creatorAcl, type ZooKeeper } from '@quorate/zookeeper';
import { describe, expect } from 'vitest';
import {
  type AccessOptions,
  Barrier,
  Counter,
  DoubleBarrier,
  Election,
  Group,
  Lock,
  Queue,
  ReadWriteLock,
  Semaphore,
  Settings,
} from '../src/index.ts';
import { limits } from './conformance/limits-schema.ts';
import { codeOf, freshPath } from './conformance/store.ts';

const test = bedTest({ zookeeper: 1 });

const ours = { scheme: 'digest', user: 'taxi', password: 'secret' } as const;

/** Makes use of each of them, so that all its nodes are there. */
const uses: Record<string, (zk: ZooKeeper, path: string, options: AccessOptions) => Promise<unknown>> = {
  barrier: (zk, path, options) => new Barrier(zk, path, options).raise(),
  counter: (zk, path, options) => new Counter(zk, path, options).add(1n),
  'double barrier': (zk, path, options) => new DoubleBarrier(zk, path, { size: 1, ...options }).enter(),
  election: (zk, path, options) => new Election(zk, path, options).campaign(),
  group: (zk, path, options) => new Group(zk, path, options).join({ id: 'one' }),
  lock: (zk, path, options) => new Lock(zk, path, { revocable: true, ...options }).acquire(),
  queue: async (zk, path, options) => {
    const queue = new Queue(zk, path, options);
    await queue.putMany([1, 2]);
    return await queue.take();
  },
  'read-write lock': async (zk, path, options) => {
    const lock = new ReadWriteLock(zk, path, options);
    return await lock.downgrade(await lock.write.acquire());
  },
  semaphore: async (zk, path, options) => {
    await new Semaphore(zk, path, { permits: 2, ...options }).acquire();
    await eventually('its turn is over', async () => (await zk.children(`${path}/locks`)).names.length === 0);
  },
  settings: (zk, path, options) => new Settings(zk, path, limits, options).set({ max: 1, names: [] }),
};

/** Every node at and below a path. */
async function nodesAt(zk: ZooKeeper, path: string): Promise<string[]> {
  const { names } = await zk.children(path);
  const below = await Promise.all(names.map((name) => nodesAt(zk, `${path}/${name}`)));
  return [path, ...below.flat()];
}

describe.each(Object.entries(uses))('%s', (_what, use) => {
  test.for<[string, ConnectOptions, AccessOptions]>([
    ['of the session', { acl: creatorAcl }, {}],
    ['of its own', {}, { acl: creatorAcl }],
  ])(
    'with an access control list %s: a stranger can neither see nor change any node of it',
    async ([, options, own], { bed }) => {
      await using zk = await connect(bed.zookeeper.url, { auth: ours, ...options });
      await using stranger = await connect(bed.zookeeper.url);
      const path = `${freshPath('closed')}/below`;
      await use(zk, path, own);
      const nodes = [path.slice(0, path.lastIndexOf('/')), ...(await nodesAt(zk, path))];
      const all: Acl['permissions'] = 'all';
      for (const node of nodes) {
        const { acl } = await zk.acl(node);
        expect(acl, node).toEqual([expect.objectContaining({ permissions: all, scheme: 'digest' })]);
        expect(await codeOf(stranger.get(node)), node).toBe('no-auth');
        expect(await codeOf(stranger.set(node, '__REVOKE__')), node).toBe('no-auth');
        expect(await codeOf(stranger.create(`${node}/in-line`, '')), node).toMatch(
          /^no-auth|no-children-for-ephemerals$/,
        );
        expect(await codeOf(stranger.children(node)), node).toBe('no-auth');
      }
      for (const node of nodes.slice(1).reverse()) expect(await codeOf(stranger.delete(node)), node).toBe('no-auth');
      // Who is one of us may.
      await using another = await connect(bed.zookeeper.url, { auth: ours });
      expect(await nodesAt(another, path)).toEqual(nodes.slice(1));
    },
  );
});

test('a stranger does not depose a leader, stand in line, or put into a queue', async ({ bed }) => {
  await using zk = await connect(bed.zookeeper.url, { auth: ours, acl: creatorAcl });
  await using stranger = await connect(bed.zookeeper.url);
  const [election, lock, queue] = [freshPath('led'), freshPath('locked'), freshPath('queued')];
  const term = await new Election(zk, election, { id: 'one' }).campaign();
  const held = await new Lock(zk, lock, { revocable: true }).acquire();
  await new Queue(zk, queue).put('one');
  const attempts = [
    new Election(stranger, election, { id: 'one' }).campaign(),
    new Election(stranger, election).candidates(),
    new Lock(stranger, lock).tryAcquire(),
    new Lock(stranger, lock).revoke(),
    new Lock(stranger, lock).holders(),
    new Queue(stranger, queue).put('two'),
    new Queue(stranger, queue).take({ timeout: 2_000 }),
  ];
  expect(await Promise.all(attempts.map(codeOf))).toEqual(attempts.map(() => 'no-auth'));
  expect([term.signal.aborted, held.signal.aborted]).toEqual([false, false]);
  await (await new Queue(zk, queue).take()).done();
});

test('a list that is none is refused before anything is made', async ({ bed }) => {
  await using zk = await connect(bed.zookeeper.url);
  for (const make of [
    () => new Lock(zk, '/refused', { acl: [] }),
    () => new Election(zk, '/refused', { acl: 'mine' as never }),
    () => new Group(zk, '/refused', { acl: [] }),
    () => new Queue(zk, '/refused', { acl: [] }),
    () => new Settings(zk, '/refused', limits, { acl: [] }),
  ]) {
    expect(make).toThrow(/^acl: expected a list of at least one entry/);
  }
  await expect(connect(bed.zookeeper.url, { acl: [] })).rejects.toThrow('acl: expected a list');
});
