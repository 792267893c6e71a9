import { eventually } from '@quorate/testbed';
import { describe, expect, test } from 'vitest';
import { type Lease, Lock, Semaphore } from '../../src/index.ts';
import { type Connect, childrenOf, codeOf, errorOf, freshPath } from './store.ts';

export function semaphoreConformance(connect: Connect): void {
  describe('a semaphore', () => {
    test('as many hold it as there are permits, the others come in order', async () => {
      const path = freshPath('semaphore');
      const sessions = await Promise.all(Array.from({ length: 6 }, connect));
      const order: number[] = [];
      const held: Lease[] = [];
      const all = [];
      for (const [index, zk] of sessions.entries()) {
        const count = async (): Promise<number> =>
          (await childrenOf(zk, `${path}/locks`)).length + (await childrenOf(zk, `${path}/leases`)).length;
        const before = await count();
        const acquired = new Semaphore(zk, path, { permits: 2 }).acquire().then((lease) => {
          order.push(index);
          held.push(lease);
        });
        all.push(acquired);
        if (index < 2) await acquired;
        else await eventually('its place in line', async () => (await count()) > before);
      }
      expect(order).toEqual([0, 1]);
      for (let next = 2; next < 6; next += 1) {
        await held.shift()?.release();
        await all[next];
        expect(order).toEqual(Array.from({ length: next + 1 }, (_, index) => index));
        expect(held).toHaveLength(2);
      }
      expect(held[1]?.token).toBeGreaterThan(held[0]?.token ?? 0n);
      await Promise.all(sessions.map((zk) => zk.close()));
    });

    test('tryAcquire: a permit if there is one, and otherwise nothing is left', async () => {
      await using zk = await connect();
      const path = freshPath('semaphore');
      const semaphore = new Semaphore(zk, path, { permits: 2 });
      const [one, two] = [await semaphore.tryAcquire(), await semaphore.tryAcquire()];
      expect(await semaphore.tryAcquire()).toBeUndefined();
      expect(await childrenOf(zk, `${path}/leases`)).toHaveLength(2);
      await one?.release();
      await using three = await semaphore.tryAcquire();
      expect(three?.token).toBeGreaterThan(two?.token ?? 0n);
      await two?.release();
    });

    test('a wait that is given up leaves nothing, and the next one gets the permit', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('semaphore');
      const held = await new Semaphore(a, path, { permits: 1 }).acquire();
      const stop = new AbortController();
      const givesUp = codeOf(new Semaphore(b, path, { permits: 1 }).acquire({ signal: stop.signal }));
      await eventually('first in line', async () => (await childrenOf(a, `${path}/leases`)).length === 2);
      const next = new Semaphore(a, path, { permits: 1 }).acquire();
      await eventually('second in line', async () => (await childrenOf(a, `${path}/locks`)).length === 2);
      stop.abort(new Error('enough'));
      expect(await givesUp).toContain('enough');
      await held.release();
      await (await next).release();
      await eventually('nothing left', async () => {
        const [locks, leases] = [await childrenOf(a, `${path}/locks`), await childrenOf(a, `${path}/leases`)];
        return locks.length + leases.length === 0;
      });
      const error = await errorOf(
        (async () => {
          await using _ = await new Semaphore(a, path, { permits: 1 }).acquire();
          await new Semaphore(b, path, { permits: 1 }).acquire({ timeout: 30 });
        })(),
      );
      expect(error.message).toContain(`${path}: not acquired within 30 ms`);
    });

    test('who holds and who waits; a permit can be asked for, and is reentrant by handle', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('semaphore');
      const semaphore = new Semaphore(a, path, { permits: 1, id: 'ann', revocable: true });
      const held = await semaphore.acquire();
      const again = await semaphore.acquire({ holding: held });
      const waiting = new Semaphore(b, path, { permits: 1, id: 'bob' }).acquire();
      const last = new Semaphore(b, path, { permits: 1, id: 'cid' }).acquire();
      await eventually('both wait', async () => (await semaphore.waiters()).length === 2);
      expect((await semaphore.holders()).map(({ id }) => id)).toEqual(['ann']);
      expect((await semaphore.waiters()).map(({ id }) => id)).toEqual(['bob', 'cid']);
      expect(await semaphore.revoke()).toBe(1);
      await eventually('asked to let go', () => held.signal.aborted && again.signal.aborted);
      await held.release();
      expect((await semaphore.holders()).map(({ id }) => id)).toEqual(['__REVOKE__']);
      await again.release();
      await (await waiting).release();
      await (await last).release();
      expect(await semaphore.with(() => 7)).toBe(7);
    });

    test('bad options are refused by name, and a path in use for something else as well', async () => {
      await using zk = await connect();
      const path = freshPath('semaphore');
      for (const permits of [0, -1, 1.5, '3', undefined, 10_001]) {
        expect(() => new Semaphore(zk, path, { permits: permits as never })).toThrow(
          expect.objectContaining({ argument: 'permits' }),
        );
      }
      await using _ = await new Semaphore(zk, path, { permits: 1 }).acquire();
      const error = await errorOf(new Lock(zk, path).acquire());
      expect(error.message).toContain('expected a lock, found a semaphore');
    });
  });
}
