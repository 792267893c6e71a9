import { eventually } from '@quorate/testbed';
import type { ZooKeeper } from '@quorate/zookeeper';
import { describe, expect, test } from 'vitest';
import { Election, Group, Lock, multiLock, Queue, ReadWriteLock, Semaphore } from '../../src/index.ts';
import { freshPath } from './store.ts';

type ConnectAt = (options: { readonly tokenEpoch: number }) => Promise<ZooKeeper>;

/** The first token of the second epoch, and of the third. */
const [from, to] = [2n ** 48n, 2n ** 49n];

export function tokenEpochConformance(connect: ConnectAt): void {
  describe('the epoch of tokens', () => {
    test('every token of the session is above those of the epoch before, and what holders and others see is the same', async () => {
      await using zk = await connect({ tokenEpoch: 1 });
      const path = freshPath('epoch');
      const lock = new Lock(zk, `${path}/lock`);
      const lease = await lock.acquire();
      const shared = new ReadWriteLock(zk, `${path}/shared`);
      const writing = await shared.write.acquire();
      const reading = await shared.downgrade(writing);
      const semaphore = new Semaphore(zk, `${path}/semaphore`, { permits: 1 });
      const permit = await semaphore.tryAcquire();
      const election = new Election(zk, `${path}/leader`, { id: 'ann' });
      const term = await election.campaign();
      const group = new Group(zk, `${path}/group`);
      const membership = await group.join({ id: 'ann' });
      const queue = new Queue<string>(zk, `${path}/queue`);
      await queue.put('a ride');
      const item = await queue.take();
      const several = await multiLock([new Lock(zk, `${path}/one`), new Lock(zk, `${path}/two`)]).acquire();

      const made = [lease, writing, reading, permit, term, membership, item, several].map((held) => held?.token ?? 0n);
      expect(made.filter((token) => token < from || token >= to)).toEqual([]);
      expect(reading.token).toBe(writing.token);
      const seen = async (locks: { holders(): Promise<{ token: bigint }[]> }): Promise<unknown> =>
        (await locks.holders()).map(({ token }) => token);
      expect(await seen(lock)).toEqual([lease.token]);
      expect(await seen(shared.read)).toEqual([reading.token]);
      expect(await seen(semaphore)).toEqual([permit?.token]);
      expect((await election.candidates()).map(({ token }) => token)).toEqual([term.token]);
      for await (const leader of election.observe()) {
        expect(leader?.token).toBe(term.token);
        break;
      }
      expect((await group.members()).map(({ token }) => token)).toEqual([membership.token]);
      await membership.update('still the same member');
      expect(membership.signal.aborted).toBe(false);
      await item.done();
    });

    test('the token of a writer that reads now is shown in the epoch of who asks, as all others are', async () => {
      await using zk = await connect({ tokenEpoch: 1 });
      await using other = await connect({ tokenEpoch: 0 });
      const path = freshPath('epoch');
      const lock = new ReadWriteLock(zk, path);
      await using reading = await lock.downgrade(await lock.write.acquire());
      const [holder] = await new ReadWriteLock(other, path).read.holders();
      expect(holder?.token).toBe(reading.token - from);
    });

    test('a member that somebody deletes hears of it, and only then', async () => {
      await using zk = await connect({ tokenEpoch: 32_767 });
      await using other = await connect({ tokenEpoch: 0 });
      const group = new Group(zk, freshPath('epoch'));
      const membership = await group.join({ id: 'ann' });
      expect(membership.token).toBeLessThan(2n ** 63n);
      expect((await new Group(other, group.path).members())[0]?.token).toBe(membership.token % 2n ** 48n);
      await other.delete(membership.path);
      await eventually('it knows', () => membership.signal.aborted);
    });
  });
}
