import { eventually } from '@quorate/testbed';
import { describe, expect, test } from 'vitest';
import { Lock, multiLock } from '../../src/index.ts';
import { type Connect, childrenOf, codeOf, errorOf, freshPath } from './store.ts';

export function multiLockConformance(connect: Connect): void {
  describe('several locks', () => {
    test('are acquired in the order of their paths, whatever the order they are given in: no deadlock', async () => {
      await using a = await connect();
      await using b = await connect();
      const [one, two, three] = [freshPath('one'), freshPath('two'), freshPath('three')];
      let inside = 0;
      const swap = async (first: Lock, second: Lock, third: Lock): Promise<void> => {
        for (let turn = 0; turn < 10; turn += 1) {
          await multiLock([first, second, third]).with(
            () => {
              inside += 1;
              expect(inside).toBe(1);
              inside -= 1;
            },
            { timeout: 20_000 },
          );
        }
      };
      const locks = [one, two, three].map((path) => [new Lock(a, path), new Lock(b, path)] as const);
      const [[a1, b1], [a2, b2], [a3, b3]] = locks as [(typeof locks)[0], (typeof locks)[0], (typeof locks)[0]];
      await Promise.all([swap(a1, a2, a3), swap(b3, b2, b1)]);
    });

    test('one lease for all: tokens, guard, and it ends when any of them does', async () => {
      await using zk = await connect();
      await using other = await connect();
      const [one, two, file] = [freshPath('a'), freshPath('b'), freshPath('file')];
      await zk.create(file, '');
      const lease = await multiLock([new Lock(zk, two, { revocable: true }), new Lock(zk, one)]).acquire();
      expect([...lease.tokens.keys()]).toEqual([one, two].sort());
      expect(lease.token).toBe(lease.tokens.get([one, two].sort()[0] ?? ''));
      await lease.guard(zk.transaction()).set(file, 'both').commit();
      const [node] = await childrenOf(zk, two);
      await other.delete(`${two}/${node}`);
      await eventually('the end of the lease', () => lease.signal.aborted);
      expect(lease.signal.reason).toMatchObject({ reason: 'lost' });
      await lease.release();
      await lease.release();
      expect([await childrenOf(zk, one), await childrenOf(zk, two)]).toEqual([[], []]);
    });

    test('a guard guards every one of them', async () => {
      await using zk = await connect();
      const paths = [freshPath('a'), freshPath('b')];
      const file = freshPath('file');
      await zk.create(file, '');
      for (const path of paths) {
        await using lease = await multiLock(paths.map((each) => new Lock(zk, each))).acquire();
        const [node] = await childrenOf(zk, path);
        await zk.delete(`${path}/${node}`);
        const guarded = lease.guard(zk.transaction()).set(file, 'both').commit();
        await expect(guarded, path).rejects.toMatchObject({ code: 'no-node', happened: 'no' });
      }
      expect((await zk.get(file)).data.toString()).toBe('');
    });

    test('disposing of it does not reject, where letting go of one is refused; releasing does', async () => {
      await using zk = await connect();
      const path = freshPath('sealed');
      const lease = await multiLock([new Lock(zk, path), new Lock(zk, freshPath('open'))]).acquire();
      await zk.setAcl(path, [{ permissions: ['read', 'create', 'admin'], scheme: 'world', id: 'anyone' }]);
      await lease[Symbol.asyncDispose]();
      expect(await codeOf(lease.release())).toBe('no-auth');
    });

    test('all or none: when one cannot be had, the others are let go of', async () => {
      await using zk = await connect();
      await using other = await connect();
      const [one, two] = [freshPath('a'), freshPath('b')];
      await using _ = await new Lock(other, two).acquire();
      const both = multiLock([new Lock(zk, one), new Lock(zk, two)]);
      expect(await both.tryAcquire()).toBeUndefined();
      expect(await childrenOf(zk, one)).toEqual([]);
      const error = await errorOf(both.acquire({ timeout: 30 }));
      expect(error.message).toContain(`${one} and ${two}: not acquired within 30 ms`);
      expect(await childrenOf(zk, one)).toEqual([]);
      expect(await childrenOf(zk, two)).toHaveLength(1);
    });

    test('a lock that is lost while another is waited for ends the wait', async () => {
      await using zk = await connect();
      await using other = await connect();
      const [one, two] = [freshPath('a'), freshPath('b')];
      await using _ = await new Lock(other, two).acquire();
      const code = codeOf(multiLock([new Lock(zk, one, { revocable: true }), new Lock(zk, two)]).acquire());
      await eventually('it waits for the second', async () => (await childrenOf(other, two)).length === 2);
      const [node] = await childrenOf(other, one);
      await other.delete(`${one}/${node}`);
      expect(await code).toBe('lease-lost');
      await eventually('nothing left', async () => (await childrenOf(other, two)).length === 1);
    });

    test('none, or one twice, is refused', async () => {
      await using zk = await connect();
      const path = freshPath('a');
      expect(() => multiLock([])).toThrow(expect.objectContaining({ argument: 'locks' }));
      expect(() => multiLock([new Lock(zk, path), new Lock(zk, path)])).toThrow(path);
    });
  });
}
