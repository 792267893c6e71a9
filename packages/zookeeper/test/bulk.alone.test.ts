import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { connect, type State, type ZooKeeper } from '../src/index.ts';

// Alone: the links run in this process, and on a busy machine they are slower than they say.
const test = bedTest({ zookeeper: { members: 1, config: { tickTime: 100 } } });
const sessionTimeout = 1_500;

interface Bulk {
  readonly bytesPerSecond: number;
  readonly size: number;
  /** What the connection has shown before it is slow. */
  readonly before?: (zk: ZooKeeper, path: string) => Promise<unknown>;
  readonly work: (zk: ZooKeeper, path: string) => Promise<unknown>;
}

const times = <T>(count: number, ask: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, ask));

const bulks: [string, Bulk][] = [
  [
    'reads',
    {
      bytesPerSecond: 8_000_000,
      size: 100_000,
      work: (zk, path) => Promise.all([times(280, () => zk.get(path)), zk.set(path, Buffer.alloc(100_000))]),
    },
  ],
  [
    'reads, of which a few take all the time there is',
    { bytesPerSecond: 1_000_000, size: 75_000, work: (zk, path) => times(40, () => zk.get(path)) },
  ],
  [
    'writes, of which a few take all the time there is',
    { bytesPerSecond: 1_000_000, size: 0, work: (zk, path) => times(40, () => zk.set(path, Buffer.alloc(75_000))) },
  ],
  [
    'reads, after so many that were small and quick',
    {
      bytesPerSecond: 8_000_000,
      size: 16_000,
      before: (zk, path) => Promise.all([times(2_000, () => zk.exists(path)), times(2_000, () => zk.get('/'))]),
      work: (zk, path) => times(1_600, () => zk.get(path)),
    },
  ],
];

let links = 0;

test.concurrent.for(bulks)(
  'much that is asked for at once over a slow network neither suspends the session nor loses it: %s',
  async ([, { bytesPerSecond, size, before, work }], { bed }) => {
    links += 1;
    const path = `/bulk-${links}`;
    const link = bed.link(`bulk-${links}`, 'zookeeper-1');
    await using zk = await connect(await link.address, { sessionTimeout });
    await zk.create(path, Buffer.alloc(size));
    const states: State[] = [];
    zk.on('state', (state) => states.push(state));
    await before?.(zk, path);
    await link.set({ bytesPerSecond });
    const begin = performance.now();
    let over = false;
    const working = work(zk, path).finally(() => {
      over = true;
    });
    // What a lease asks the leader meanwhile, again and again: with half of the session timeout without an answer it ends.
    let longest = 0;
    while (!over) {
      const asked = performance.now();
      await zk.sync('/', { urgent: true });
      longest = Math.max(longest, performance.now() - asked);
    }
    await working;
    expect(states).toEqual([]);
    // Twice as long as the session could be silent.
    expect(performance.now() - begin).toBeGreaterThan(1.9 * sessionTimeout);
    expect(longest).toBeLessThan(sessionTimeout / 2);
  },
);

test('where all that is answered is old, another connection saves the session, and everything is answered', async ({
  bed,
}) => {
  const link = bed.link('late', 'zookeeper-1');
  await using zk = await connect(await link.address, { sessionTimeout });
  await zk.create('/late', Buffer.alloc(200_000));
  // Nothing speaks against a hundred at once.
  await times(1_000, () => zk.get('/'));
  const states: State[] = [];
  zk.on('state', (state) => states.push(state));
  await link.set({ bytesPerSecond: 8_000_000 });
  await times(130, () => zk.get('/late'));
  expect(states).toEqual(['suspended', 'connected']);
});

test('a sign of life does not wait behind what is asked for', async ({ bed }) => {
  const link = bed.link('urgent', 'zookeeper-1');
  await using zk = await connect(await link.address, { sessionTimeout: 2_000 });
  await zk.create('/behind', Buffer.alloc(100_000));
  await link.set({ bytesPerSecond: 8_000_000 });
  const order: string[] = [];
  const reads = Array.from({ length: 200 }, () => zk.get('/behind').then(() => order.push('read')));
  await Promise.all([...reads, zk.sync('/', { urgent: true }).then(() => order.push('sync'))]);
  expect(order.indexOf('sync')).toBeLessThan(50);
  expect(order.lastIndexOf('read')).toBe(200);
});
