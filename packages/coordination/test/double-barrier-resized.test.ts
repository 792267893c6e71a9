import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { DoubleBarrier } from '../src/index.ts';
import { atCommit } from './at-commit.ts';
import { childrenOf } from './conformance/store.ts';

const test = bedTest({ zookeeper: { members: 1, config: { tickTime: 100 } } });

const three = { size: 3 };
const patience = { timeout: 5_000 };

async function twoWait(zk: ZooKeeper, path: string): Promise<Promise<void>[]> {
  const entering = [1, 2].map(() => new DoubleBarrier(zk, path, three).enter(patience));
  for (const each of entering) each.catch(() => undefined);
  await eventually('two have come', async () => (await childrenOf(zk, path)).length === 2);
  return entering;
}

test('who is given up, or dies, the moment it has changed the size leaves nobody waiting who is enough', async ({
  bed,
}) => {
  await using zk = await connect(bed.zookeeper.url);
  for (const fate of ['given up', 'dead'] as const) {
    const path = `/resizer-${fate.replace(' ', '-')}`;
    const entering = await twoWait(zk, path);
    const link = bed.link(fate.replace(' ', '-'), 'zookeeper-1');
    const resizer = await connect(await link.address);
    // So that nothing that it does after the change can be there before it ends.
    await link.set({ latencyMs: 50 });
    const enough = new AbortController();
    const resizing = new DoubleBarrier(resizer, path, three).resize(2, { signal: enough.signal });
    resizing.catch(() => undefined);
    const changed = async (): Promise<boolean> => (await zk.get(path)).data.toString() === 'quorate.double-barrier 2';
    await eventually('the size is another', changed, { every: 2 });
    if (fate === 'given up') enough.abort();
    else await link.set({ blackHole: true });
    await Promise.all(entering);
    await link.heal();
    await resizer.close({ signal: AbortSignal.timeout(2_000) });
  }
});

test('who comes while the size is being changed counts', async ({ bed }) => {
  await using zk = await connect(bed.zookeeper.url);
  await using other = await connect(bed.zookeeper.url);
  await using session = await connect(bed.zookeeper.url);
  const path = '/late';
  const first = new DoubleBarrier(zk, path, three).enter(patience);
  await eventually('one waits', async () => (await bed.zookeeper.figure('zk_watch_count')) > 0);
  let entering: Promise<void>[] = [first];
  // It has looked, and sees one; by the time it writes there are two.
  const resizer = atCommit(session, async (commit) => {
    const watches = await bed.zookeeper.figure('zk_watch_count');
    entering = [first, new DoubleBarrier(other, path, three).enter(patience)];
    const waits = async (): Promise<boolean> => (await bed.zookeeper.figure('zk_watch_count')) > watches;
    await eventually('the second waits', waits);
    await commit();
    // And it dies.
    return new Promise(() => undefined);
  });
  void new DoubleBarrier(resizer, path, three).resize(2);
  await eventually('the second has come', () => entering.length === 2);
  await Promise.all(entering);
  expect((await zk.get(path)).data.toString()).toBe('quorate.double-barrier 2');
});

test('who has counted by a size that is changed before it opens lets nobody in by it', async ({ bed }) => {
  await using zk = await connect(bed.zookeeper.url);
  await using session = await connect(bed.zookeeper.url);
  const path = '/opening';
  const size = async (): Promise<string> => (await zk.get(path)).data.toString();
  const two = { size: 2 };
  let openings = 0;
  const opener = atCommit(session, async (commit) => {
    openings += 1;
    if (openings === 1) await new DoubleBarrier(zk, path, two).resize(3);
    return await commit();
  });
  const first = new DoubleBarrier(zk, path, two).enter(patience);
  await eventually('one has come', async () => (await childrenOf(zk, path)).length === 1);
  const second = new DoubleBarrier(opener, path, two).enter(patience);
  await eventually('the size is another', async () => (await size()).endsWith(' 3'));
  await new DoubleBarrier(zk, path, three).enter(patience);
  await Promise.all([first, second]);
  const { members } = JSON.parse((await zk.get(`${path}/ready`)).data.toString());
  expect([members.length, await size()]).toEqual([3, 'quorate.double-barrier 3']);
});
