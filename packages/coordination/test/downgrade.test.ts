import { QuorateError } from '@quorate/core';
import { bedTest } from '@quorate/testbed/vitest';
import type { ZooKeeper } from '@quorate/zookeeper';
import { expect } from 'vitest';
import { memoryCoordination, ReadWriteLock } from '../src/index.ts';
import { childrenOf, codeOf, freshPath } from './conformance/store.ts';
import { breakable } from './cut-off.ts';

const test = bedTest({ zookeeper: 1 });

test('a signal ends the wait for a downgrade, and nothing is held any more', async ({ bed }) => {
  await using mine = await breakable(bed, 'zookeeper-1', { sessionTimeout: 10_000 });
  await using other = await breakable(bed);
  const path = freshPath('downgrade');
  const lock = new ReadWriteLock(mine.zk, path, { onSuspended: 'wait' });
  const writing = await lock.write.acquire();
  await mine.link.set({ blackHole: true });
  const [enough, reason] = [new AbortController(), new Error('enough')];
  const downgrading = lock.downgrade(writing, { signal: enough.signal });
  enough.abort(reason);
  const begun = performance.now();
  await expect(downgrading).rejects.toMatchObject({ message: 'enough' });
  expect(performance.now() - begun).toBeLessThan(1_000);
  expect(writing.signal.aborted).toBe(true);
  await mine.link.reset();
  await mine.link.heal();
  await (await new ReadWriteLock(other.zk, path).write.acquire({ timeout: 5_000 })).release();
  expect(await childrenOf(other.zk, path)).toEqual([]);
});

/** A session that cannot read what has become of a node. */
function blind(zk: ZooKeeper, error: () => Error | undefined): ZooKeeper {
  return new Proxy(zk, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const refused = name === 'exists' ? error() : undefined;
        return refused ? Promise.reject(refused) : value.apply(target, args);
      };
    },
  });
}

test.for(['done', 'not done'])(
  'a downgrade of which nobody can tell whether it was done leaves nothing (it was %s)',
  async (what) => {
    const memory = memoryCoordination();
    await using zk = memory.connect();
    await using other = memory.connect();
    const lock = new ReadWriteLock(
      blind(zk, () => new QuorateError('refused', { code: 'no-auth' })),
      '/blind',
      { onSuspended: 'wait' },
    );
    const writing = await lock.write.acquire();
    if (what === 'done') memory.loseReply(zk, 'transaction');
    const downgrading = codeOf(lock.downgrade(writing));
    if (what === 'not done') {
      await memory.suspend(zk);
      await memory.resume(zk);
    }
    expect(await downgrading).toBe('ambiguous');
    expect(writing.signal.aborted).toBe(true);
    await (await new ReadWriteLock(other, '/blind').write.acquire({ timeout: 5_000 })).release();
    expect(await childrenOf(other, '/blind')).toEqual([]);
  },
);

test('a member that is busy is asked again what has become of a downgrade', async () => {
  const memory = memoryCoordination();
  await using zk = memory.connect();
  let busy = 2;
  const lock = new ReadWriteLock(
    blind(zk, () => (busy-- > 0 ? new QuorateError('busy', { code: 'throttled', retryable: true }) : undefined)),
    '/busy',
    { onSuspended: 'wait' },
  );
  const writing = await lock.write.acquire();
  memory.loseReply(zk, 'transaction');
  const reading = await lock.downgrade(writing);
  expect(reading.signal.aborted).toBe(false);
  await reading.release();
  expect(await childrenOf(zk, '/busy')).toEqual([]);
});
