import { check, counter, eventually, History, verdictText } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { Counter, Group, Mirror, Semaphore, Settings } from '../src/index.ts';
import { limits } from './conformance/limits-schema.ts';

const test = bedTest({ zookeeper: 3 });

/** A session on each member, below a root that is there. */
async function oneOnEach(
  bed: { readonly zookeeper: { readonly members: readonly { readonly address: string }[] } },
  root: string,
  stack: AsyncDisposableStack,
): Promise<ZooKeeper[]> {
  const sessions = await Promise.all(
    bed.zookeeper.members.map(async ({ address }) => stack.use(await connect(`${address}${root}`))),
  );
  await sessions[0]?.create('/', '', { parents: true });
  await Promise.all(sessions.map((zk) => zk.sync('/')));
  return sessions;
}

test('what was confirmed over one member is seen over another that lags behind', async ({ bed }) => {
  await using stack = new AsyncDisposableStack();
  const sessions = await oneOnEach(bed, '/lagging', stack);
  const leader = await eventually('a leader', () => bed.zookeeper.leader());
  const names = bed.zookeeper.members.map((_, index) => `zookeeper-${index + 1}`);
  const [led, following] = names
    .map((name, index) => ({ name, zk: sessions[index] as ZooKeeper }))
    .sort((a, b) => Number(b.name === leader.name) - Number(a.name === leader.name)) as [
    { name: string; zk: ZooKeeper },
    { name: string; zk: ZooKeeper },
  ];
  await bed.link(led.name, following.name).set({ latencyMs: 40 });
  try {
    for (let i = 1; i <= 5; i += 1) {
      await new Counter(led.zk, '/counter').add(1n);
      expect(await new Counter(following.zk, '/counter').get()).toBe(BigInt(i));
      await new Settings(led.zk, '/limits', limits).set({ max: i, names: [] });
      expect((await new Settings(following.zk, '/limits', limits).get()).value?.max).toBe(i);
      await new Semaphore(led.zk, '/permits', { permits: i }).resize(i + 1);
      const permits = new Semaphore(following.zk, '/permits', { permits: i + 1 });
      await (await permits.acquire()).release();
      await new Group(led.zk, '/g').join({ id: `member-${i}` });
      expect(await new Group(following.zk, '/g').members()).toHaveLength(i);
    }
  } finally {
    await bed.heal();
  }
});

test('the leader is killed while three clients count: no addition is lost, none counts twice', async ({ bed }) => {
  await using stack = new AsyncDisposableStack();
  const history = new History();
  const root = '/killed';
  const makesRoot = stack.use(await connect(bed.zookeeper.url));
  await makesRoot.create(root);
  const stop = new AbortController();
  stack.defer(() => stop.abort());
  const clients = await Promise.all(
    [1, 2, 3].map(async () => stack.use(await connect(`${bed.zookeeper.url}${root}`, { sessionTimeout: 10_000 }))),
  );
  const mirror = stack.use(new Mirror(clients[0] as ZooKeeper, '/'));
  let added = 0;
  const counting = clients.map(async (zk, index) => {
    const rides = new Counter(zk, '/rides');
    while (!stop.signal.aborted) {
      await history
        .run(`client-${index}`, 'add', { key: 'rides', by: 1n }, () => rides.add(1n))
        .then(() => {
          added += 1;
        })
        .catch(() => undefined);
    }
  });
  await eventually('they count', () => added > 20);
  const leader = await eventually('a leader', () => bed.zookeeper.leader());
  await leader.kill();
  const before = added;
  await eventually('they count again', () => added > before + 20);
  stop.abort();
  await Promise.all(counting);
  await leader.restart();
  const sum = await history.run('after', 'read', { key: 'rides' }, () => new Counter(makesRoot, `${root}/rides`).get());
  for (const verdict of [check.linearizable(history, counter()), check.noLostUpdates(history)]) {
    expect(verdict.result, verdictText(verdict)).toBe('valid');
  }
  await eventually('the mirror has it', () => `${mirror.get('/rides')?.data}`.startsWith(`${sum}\n`));
});
