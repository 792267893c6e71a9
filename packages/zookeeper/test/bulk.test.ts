import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { connect, type State } from '../src/index.ts';

const test = bedTest({ zookeeper: { members: 1, config: { tickTime: 100 } } });

test('much that is asked for at once over a slow network neither suspends the session nor loses it', async ({
  bed,
}) => {
  const sessionTimeout = 1_500;
  const link = bed.link('bulk', 'zookeeper-1');
  await using zk = await connect(await link.address, { sessionTimeout });
  await zk.create('/large', Buffer.alloc(100_000));
  const states: State[] = [];
  zk.on('state', (state) => states.push(state));
  await link.set({ bytesPerSecond: 8_000_000 });
  const begin = performance.now();
  const reads = Array.from({ length: 280 }, () => zk.get('/large'));
  const write = zk.set('/large', Buffer.alloc(100_000));
  await Promise.all([...reads, write]);
  // Twice as long as the session could be silent.
  expect(performance.now() - begin).toBeGreaterThan(2 * sessionTimeout);
  expect(states).toEqual([]);
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
