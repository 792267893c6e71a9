import { QuorateError } from '@quorate/core';
import type { Transaction, ZooKeeper } from '@quorate/zookeeper';
import { afterEach, expect, test, vi } from 'vitest';
import { Group } from './group.ts';
import { Lock } from './lock.ts';
import { memoryCoordination } from './memory/memory-coordination.ts';
import { Queue } from './queue.ts';

// What a member of an ensemble says when it has too much to do, and when it may not do it: neither can be had of a server when
// it is wanted. The rest is real, in memory.
const busy = new QuorateError('the server is overloaded', { code: 'throttled', retryable: true, happened: 'no' });
const refused = new QuorateError('not allowed', { code: 'no-auth', happened: 'no' });

async function sessions(): Promise<[ZooKeeper, ZooKeeper]> {
  const ensemble = memoryCoordination();
  return [await ensemble.connect(), await ensemble.connect()];
}

function nextCommit(zk: ZooKeeper, error: Error): void {
  const { transaction } = zk;
  vi.spyOn(zk, 'transaction').mockImplementationOnce((): Transaction => {
    const made = transaction.call(zk);
    vi.spyOn(made, 'commit').mockRejectedValueOnce(error);
    return made;
  });
}

afterEach(() => vi.restoreAllMocks());

test('an item is given back when the member was busy, and when a server that refused it does not any more', async () => {
  const [zk, other] = await sessions();
  await new Queue(other, '/q').put('one');
  for (const error of [busy, refused]) {
    const item = await new Queue(zk, '/q').take();
    nextCommit(zk, error);
    const released = item.release();
    if (error === refused) {
      await expect(released).rejects.toBe(refused);
      await item.release();
    } else await released;
    const again = await new Queue(other, '/q').take({ timeout: 1_000 });
    await again.release();
  }
});

test('a holder hears that it is asked to let go, though the watch on its node could not be placed at once', async () => {
  const [zk, other] = await sessions();
  vi.spyOn(zk, 'get').mockRejectedValueOnce(busy);
  const lease = await new Lock(zk, '/l', { revocable: true }).acquire();
  await vi.waitFor(() => expect(zk.get).toHaveBeenCalledTimes(2));
  await new Lock(other, '/l').revoke();
  await vi.waitFor(() => expect(lease.signal.reason).toMatchObject({ reason: 'revoked' }));
});

test('a taker hears that its claim is gone, though the watch on it could not be placed again at once', async () => {
  const [zk, other] = await sessions();
  await new Queue(other, '/q').put('one');
  const item = await new Queue(zk, '/q').take();
  const claim = `/q/items/${(await other.children('/q/items')).names[0]}`;
  const own = `${claim}/${(await other.children(claim)).names[0]}`;
  const get = vi.spyOn(zk, 'get').mockRejectedValueOnce(busy);
  await other.set(own, 'touched');
  await vi.waitFor(() => expect(get).toHaveBeenCalled());
  await other.delete(own);
  await vi.waitFor(() => expect(item.signal.reason).toMatchObject({ reason: 'lost' }));
});

test('a member hears that its node is gone, though the watch on it could not be placed at once', async () => {
  const [zk, other] = await sessions();
  const { exists } = zk;
  let refusals = 1;
  vi.spyOn(zk, 'exists').mockImplementation((path, options) => {
    if (!options?.watch || refusals === 0) return exists.call(zk, path, options);
    refusals -= 1;
    return Promise.reject(busy);
  });
  const membership = await new Group(zk, '/g').join({ id: 'one' });
  await vi.waitFor(() => expect(refusals).toBe(0));
  await other.delete(membership.path);
  await vi.waitFor(() => expect(membership.signal.reason).toMatchObject({ reason: 'lost' }));
});

test('whoever disposes of a lease or a membership is not told that the server refuses to delete its node', async () => {
  const [zk] = await sessions();
  const lease = await new Lock(zk, '/l').acquire();
  const membership = await new Group(zk, '/g').join({ id: 'one' });
  const work = async (): Promise<void> => {
    await using _ = lease;
    await using __ = membership;
    vi.spyOn(zk, 'delete').mockRejectedValue(refused);
    throw new Error('of the block');
  };
  await expect(work()).rejects.toThrow('of the block');
  await expect(lease.release()).rejects.toBe(refused);
  await expect(membership.leave()).rejects.toBe(refused);
});
