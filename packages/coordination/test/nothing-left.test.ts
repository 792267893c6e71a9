import { eventually, seeded } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { connect } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { Counter, Group, Mirror, Settings } from '../src/index.ts';
import { limits } from './conformance/limits-schema.ts';

const test = bedTest({ zookeeper: 1 });

test('2,000 calls that are aborted at any moment leave no node and no watch behind', async ({ bed }) => {
  const seed = 11;
  const random = seeded(seed);
  await using zk = await connect(bed.zookeeper.url);
  await using other = await connect(bed.zookeeper.url);
  for (const path of ['/g', '/m']) await zk.create(path);
  await zk.create('/counter', '1');
  await zk.create('/limits', '{"max":1,"names":[]}');
  await using _ = await new Group(other, '/g').join({ id: 'taken' });
  const left = (): Promise<number[]> =>
    Promise.all(['zk_znode_count', 'zk_watch_count'].map((name) => bed.zookeeper.figure(name)));
  // The member watches its own node, which is placed after it has joined.
  await eventually('its watch', async () => (await left())[1] === 1);
  const before = await left();
  const group = new Group(zk, '/g');
  const counter = new Counter(zk, '/counter');
  const settings = new Settings(zk, '/limits', limits);
  const calls: ((signal: AbortSignal, i: number) => Promise<unknown>)[] = [
    (signal, i) => group.join({ id: `one-${i}` }, { signal }).then((membership) => membership.leave()),
    (signal) => group.join({ id: 'taken' }, { signal }),
    (signal) => group.members({ signal }),
    (signal) => group.watch({ signal }).next(),
    (signal) => counter.add(1n, { signal }),
    (signal) => counter.get({ signal }),
    (signal) => settings.update(() => ({ max: 2, names: [] }), { signal }),
    (signal) => settings.watch({ signal }).next(),
    async (signal) => {
      await using mirror = new Mirror(zk, '/m');
      await mirror.changes({ signal }).next();
    },
  ];
  await Promise.all(
    Array.from({ length: 2_000 }, async (_, i) => {
      const controller = new AbortController();
      const outcome = calls[i % calls.length]?.(controller.signal, i).catch(() => undefined);
      const turns = Math.floor(random.next() * 200);
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      controller.abort();
      await outcome;
    }),
  );
  await eventually(
    `nothing is left (seed ${seed})`,
    async () => {
      expect(await left()).toEqual(before);
      return true;
    },
    { within: 10_000 },
  );
});
