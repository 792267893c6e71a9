import { type BedOf, eventually, type Link, Testbed } from '@quorate/testbed';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, type State, type WatchEvent, type ZooKeeper } from '../src/index.ts';
import { memoryInUse } from './memory-in-use.ts';

let bed: BedOf<{ zookeeper: 1 }>;

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: 1 });
});
afterAll(() => bed?.[Symbol.asyncDispose]());
beforeEach(async () => {
  await using zk = await connect(bed.zookeeper.url);
  for (const name of (await zk.children('/')).names)
    if (name !== 'zookeeper') await zk.delete(`/${name}`, { recursive: true });
});

let links = 0;

/** A way to the server of a client's own. */
function newLink(): Link {
  links += 1;
  return bed.link(`client-${links}`, 'zookeeper-1');
}

async function comesTo(zk: ZooKeeper, wanted: State): Promise<void> {
  if (zk.state === wanted) return;
  for await (const state of zk.states()) if (state === wanted) return;
}

const count = (name: string): Promise<number> => bed.zookeeper.figure(name);

test('a one-shot watch hears over a reconnect what it missed meanwhile, of each kind', async () => {
  const link = newLink();
  await using zk = await connect(await link.address, { sessionTimeout: 20_000 });
  await using other = await connect(bed.zookeeper.url);
  for (const path of ['/changed', '/deleted', '/parent', '/still']) await other.create(path);
  const events: WatchEvent[] = [];
  const watch = (event: WatchEvent): void => void events.push(event);
  await zk.get('/changed', { watch });
  await zk.exists('/deleted', { watch });
  await zk.children('/parent', { watch });
  await zk.exists('/created', { watch });
  await zk.get('/still', { watch });
  const suspended = comesTo(zk, 'suspended');
  await link.set({ refuse: true });
  await suspended;
  await other.set('/changed', 'x');
  await other.delete('/deleted');
  await other.create('/parent/child');
  await other.create('/created');
  await link.heal();
  await eventually('four events', () => events.length === 4);
  const told = events.map(({ type, path }) => `${type} ${path}`).sort();
  expect(told).toEqual(['changed /changed', 'children /parent', 'created /created', 'deleted /deleted']);
  await other.set('/still', 'x');
  await eventually('the fifth', () => events.length === 5);
  expect(events[4]).toEqual({ type: 'changed', path: '/still' });
});

test('the reader of a persistent watch is told of a gap, and after it hears again', async () => {
  const link = newLink();
  await using zk = await connect(await link.address, { sessionTimeout: 20_000 });
  await zk.create('/w');
  await using watch = zk.watch('/w', { mode: 'recursive' });
  await watch.ready;
  for (let i = 0; i < 3; i += 1) {
    const suspended = comesTo(zk, 'suspended');
    await link.reset();
    await suspended;
    await zk.set('/w', String(i));
    expect((await watch.next()).value).toEqual({ type: 'gap', path: '/w' });
    expect((await watch.next()).value).toEqual({ type: 'changed', path: '/w' });
  }
});

test('leaving the loop, disposing and aborting take the watch off the server', async () => {
  await using zk = await connect(bed.zookeeper.url);
  await zk.create('/w');
  const controller = new AbortController();
  const reason = new Error('enough');
  const looped = zk.watch('/w', { mode: 'recursive' });
  const disposed = zk.watch('/w');
  const aborted = zk.watch('/w', { signal: controller.signal });
  await Promise.all([looped.ready, disposed.ready, aborted.ready]);
  await zk.set('/w', 'x');
  for await (const event of looped) {
    expect(event).toEqual({ type: 'changed', path: '/w' });
    break;
  }
  expect(await count('zk_watch_count')).toBeGreaterThan(0);
  await disposed[Symbol.asyncDispose]();
  controller.abort(reason);
  await expect(aborted.next()).rejects.toBe(reason);
  await eventually('no watch is left', async () => (await count('zk_watch_count')) === 0);
});

test('a reader is told when the session is lost, and ends quietly when it is closed', async () => {
  const link = newLink();
  const zk = await connect(await link.address, { sessionTimeout: 1_000 });
  const lost = zk.watch('/');
  await lost.ready;
  await link.set({ blackHole: true });
  await expect(lost.next()).rejects.toMatchObject({ code: 'session-lost' });
  expect(await lost.next()).toMatchObject({ done: true });
  const again = await connect(bed.zookeeper.url);
  const closed = again.watch('/');
  await closed.ready;
  const reading = closed.next();
  await again.close();
  expect(await reading).toEqual({ done: true, value: undefined });
});

test('a watch that may not be placed fails', async () => {
  await using zk = await connect(bed.zookeeper.url);
  const watch = zk.watch('/any', { signal: AbortSignal.abort(new Error('before')) });
  await expect(watch.ready).rejects.toThrow('before');
  await expect(watch.next()).rejects.toThrow('before');
});

test('50,000 watches are placed again after a reconnect, and every change of the meantime is told', async () => {
  const many = 50_000;
  const link = newLink();
  await using zk = await connect(await link.address, { sessionTimeout: 40_000 });
  let fired = 0;
  await Promise.all(
    Array.from({ length: many }, (_, i) =>
      zk.exists(`/watched-${i}`, {
        watch: () => {
          fired += 1;
        },
      }),
    ),
  );
  expect(await count('zk_watch_count')).toBe(many);
  await using other = await connect(bed.zookeeper.url);
  const suspended = comesTo(zk, 'suspended');
  await link.set({ refuse: true });
  await suspended;
  for (let i = 0; i < 10; i += 1) await other.create(`/watched-${i * 5_000}`);
  await link.heal();
  await comesTo(zk, 'connected');
  await eventually('what happened meanwhile', () => fired === 10);
  expect(await count('zk_watch_count')).toBe(many - 10);
  await other.create('/watched-49999');
  await eventually('what happened after', () => fired === 11);
});

test('10,000 aborted waits leave nothing behind: no node, no watch, no listener, no memory', async () => {
  await using zk = await connect(bed.zookeeper.url);
  await zk.create('/q');
  const [nodes, watches] = [await count('zk_znode_count'), await count('zk_watch_count')];
  const round = async (size: number): Promise<void> => {
    const controllers = Array.from({ length: size }, () => new AbortController());
    const waits = controllers.flatMap(({ signal }, i) => [
      zk.create('/q/n-', 'x', { mode: 'ephemeral-sequential', protected: i % 2 === 0, signal }),
      zk.get('/q', { watch: () => undefined, signal }),
      zk.exists(`/none-${i}`, { watch: () => undefined, signal }),
      zk.watch(`/q/${i}`, { mode: 'recursive', signal }).next(),
    ]);
    for (const [i, controller] of controllers.entries()) {
      // Some before they are sent, some on their way, some after the answer.
      if (i % 3 === 0) controller.abort();
      else if (i % 3 === 1) setImmediate(() => controller.abort());
      else
        waits[4 * i + 2]?.then(
          () => controller.abort(),
          () => undefined,
        );
    }
    const created = (await Promise.allSettled(waits)).flatMap((outcome) => {
      const value: unknown = outcome.status === 'fulfilled' ? outcome.value : undefined;
      return value !== null && typeof value === 'object' && 'path' in value ? [String(value.path)] : [];
    });
    for (const controller of controllers) controller.abort();
    // Those that were answered first are their callers' own.
    expect(created.length).toBeLessThan(size);
    await Promise.all(created.map((path) => zk.delete(path)));
  };
  await round(200);
  const before = await memoryInUse();
  for (let i = 0; i < 10; i += 1) await round(250);
  await eventually('no node is left', async () => (await count('zk_znode_count')) === nodes, { within: 10_000 });
  await eventually('no watch is left', async () => (await count('zk_watch_count')) === watches, { within: 10_000 });
  expect((await memoryInUse()) - before).toBeLessThan(8 * 1024 * 1024);
  expect((await zk.children('/q')).names).toEqual([]);
});
