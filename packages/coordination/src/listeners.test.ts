import { getEventListeners } from 'node:events';
import type { ZooKeeper } from '@quorate/zookeeper';
import { expect, test } from 'vitest';
import { limits } from '../test/conformance/limits-schema.ts';
import { Barrier } from './barrier.ts';
import { Counter } from './counter.ts';
import { DoubleBarrier } from './double-barrier.ts';
import { Election } from './election.ts';
import { Group } from './group.ts';
import { Lock } from './lock.ts';
import { memoryCoordination } from './memory/memory-coordination.ts';
import { multiLock } from './multi-lock.ts';
import { Queue } from './queue.ts';
import { Semaphore } from './semaphore.ts';
import { Settings } from './settings.ts';

type Use = (zk: ZooKeeper, options: { readonly signal: AbortSignal; readonly timeout?: number }) => Promise<unknown>;

const uses: Record<string, Use> = {
  barrier: async (zk, options) => {
    const barrier = new Barrier(zk, '/b');
    await barrier.raise(options);
    await barrier.lift(options);
    await barrier.wait(options);
  },
  counter: (zk, options) => new Counter(zk, '/c').add(1n, options),
  'double barrier': async (zk, options) => {
    const barrier = new DoubleBarrier(zk, '/d', { size: 1 });
    await barrier.enter(options);
    await barrier.leave(options);
  },
  election: async (zk, options) => {
    const election = new Election(zk, '/e');
    const term = await election.campaign(options);
    await election.candidates(options);
    for await (const _ of election.observe(options)) break;
    await term.release(options);
  },
  group: async (zk, options) => {
    const group = new Group(zk, '/g');
    const membership = await group.join({ id: 'one' }, options);
    await membership.update('x', options);
    for await (const _ of group.watch(options)) break;
    await membership.leave(options);
  },
  lock: async (zk, options) => {
    const lock = new Lock(zk, '/l', { revocable: true });
    const lease = await lock.acquire(options);
    await lock.holders(options);
    await lease.release(options);
    await (await lock.tryAcquire(options))?.release(options);
  },
  'multi lock': async (zk, options) => {
    const lease = await multiLock([new Lock(zk, '/m1'), new Lock(zk, '/m2')]).acquire(options);
    await lease.release(options);
  },
  queue: async (zk, options) => {
    const queue = new Queue(zk, '/q');
    await queue.putMany([1, 2], options);
    await (await queue.take(options)).done(options);
    await (await queue.take(options)).release(options);
    await (await queue.take(options)).done(options);
  },
  semaphore: async (zk, options) => {
    const lease = await new Semaphore(zk, '/s', { permits: 1 }).acquire(options);
    await lease.release(options);
  },
  settings: async (zk, options) => {
    const settings = new Settings(zk, '/t', limits);
    await settings.set({ max: 1, names: [] }, options);
    for await (const _ of settings.watch(options)) break;
  },
};

test.each(Object.entries(uses))(
  '%s: whatever is done with one long-lived signal, nothing listens to it afterwards',
  async (_what, use) => {
    const zk = await memoryCoordination().connect();
    const { signal } = new AbortController();
    for (let round = 0; round < 5; round += 1) await use(zk, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(getEventListeners(zk.lost, 'abort').length).toBeLessThan(5);
  },
);
