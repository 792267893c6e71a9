import { eventually } from '@quorate/testbed';
import { describe, expect, test } from 'vitest';
import { type Lease, Lock, Queue, Semaphore } from '../../src/index.ts';
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

    test('who says another number is refused with both, before anything is touched', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('semaphore');
      await using held = await new Semaphore(a, path, { permits: 2 }).acquire();
      expect((await a.get(path)).data.toString()).toBe('quorate.semaphore 2');
      const other = new Semaphore(b, path, { permits: 3 });
      for (const refused of [other.acquire(), other.tryAcquire(), other.with(() => 7), other.resize(4)]) {
        expect(await errorOf(refused)).toMatchObject({
          code: 'different-number',
          happened: 'no',
          retryable: false,
          stored: 2,
          said: 3,
          message: `${path}: the number of permits is 2 here, and 3 was said; say 2 as well, or change it for everybody with resize(3)`,
        });
      }
      expect(await childrenOf(a, `${path}/locks`)).toEqual([]);
      expect(await childrenOf(a, `${path}/leases`)).toHaveLength(1);
      expect((await other.holders()).map(({ token }) => token)).toEqual([held.token]);
      await using same = await new Semaphore(b, path, { permits: 2 }).tryAcquire();
      expect(same).toBeDefined();
    });

    test('of two who come first and say different numbers, one decides, and the other is refused', async () => {
      await using a = await connect();
      await using b = await connect();
      const sessions = [a, b];
      for (let round = 0; round < 10; round += 1) {
        const path = freshPath('semaphore');
        // Sometimes another client has made the node, without data.
        if (round % 2 === 1) await a.create(path);
        await b.sync(path);
        const outcomes = await Promise.allSettled(
          sessions.map((zk, index) => new Semaphore(zk, path, { permits: index + 1 }).acquire()),
        );
        const won = outcomes.findIndex(({ status }) => status === 'fulfilled');
        expect((await a.get(path)).data.toString()).toBe(`quorate.semaphore ${won + 1}`);
        expect(outcomes[1 - won]).toMatchObject({ status: 'rejected', reason: { code: 'different-number' } });
        expect(await childrenOf(a, `${path}/leases`)).toHaveLength(1);
      }
    });

    test('more permits: whoever waits is let in at once, whoever uses it follows, and a new one must say the new number', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('semaphore');
      const [mine, theirs] = [a, b].map((zk) => new Semaphore(zk, path, { permits: 1 })) as [Semaphore, Semaphore];
      await using _ = await mine.acquire();
      const waiting = theirs.acquire();
      await eventually('it waits', async () => (await childrenOf(a, `${path}/leases`)).length === 2);
      await mine.resize(3);
      await using __ = await waiting;
      await using ___ = await theirs.tryAcquire();
      expect(___).toBeDefined();
      expect(await mine.tryAcquire()).toBeUndefined();
      expect(await mine.holders()).toHaveLength(3);
      expect(await codeOf(new Semaphore(b, path, { permits: 1 }).tryAcquire())).toBe('different-number');
      expect(await new Semaphore(b, path, { permits: 3 }).tryAcquire()).toBeUndefined();
    });

    test('more permits: also who has looked at the line before is let in', async () => {
      await using a = await connect();
      await using b = await connect();
      await using c = await connect();
      const path = freshPath('semaphore');
      const [first, second, third] = [a, b, c].map((zk) => new Semaphore(zk, path, { permits: 1 })) as [
        Semaphore,
        Semaphore,
        Semaphore,
      ];
      const held = await first.acquire();
      const next = second.acquire();
      const two = async (): Promise<boolean> => (await childrenOf(a, `${path}/leases`)).length === 2;
      await eventually('the second waits', two);
      expect(await third.holders()).toHaveLength(1);
      await held.release();
      await using _ = await next;
      const waiting = third.acquire({ timeout: 5_000 });
      await eventually('the third waits', two);
      await second.resize(2);
      await using __ = await waiting;
    });

    test('fewer permits: who has one keeps it, and nobody is let in before there are fewer holders', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('semaphore');
      const [mine, theirs] = [a, b].map((zk) => new Semaphore(zk, path, { permits: 3 })) as [Semaphore, Semaphore];
      const held = [await mine.acquire(), await theirs.acquire(), await theirs.acquire()];
      await theirs.resize(2);
      expect(held.map(({ signal }) => signal.aborted)).toEqual([false, false, false]);
      let isIn = false;
      const next = mine.acquire().then((lease) => {
        isIn = true;
        return lease;
      });
      await eventually('it waits', async () => (await childrenOf(a, `${path}/leases`)).length === 4);
      await held[2]?.release();
      expect(await mine.tryAcquire()).toBeUndefined();
      expect(isIn).toBe(false);
      await held[0]?.release();
      await (await next).release();
      await held[1]?.release();
    });

    test('of two changes at once from one number, one counts, and who was refused is told so', async () => {
      await using a = await connect();
      await using b = await connect();
      let refusals = 0;
      for (let round = 0; round < 10; round += 1) {
        const path = freshPath('semaphore');
        const both = [a, b].map((zk) => new Semaphore(zk, path, { permits: 1 }));
        for (const semaphore of both) await (await semaphore.acquire()).release();
        const outcomes = await Promise.allSettled(both.map((semaphore, index) => semaphore.resize(index + 2)));
        const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'changed'));
        await b.sync(path);
        const stored = Number((await b.get(path)).data.toString().slice('quorate.semaphore '.length));
        expect(codes[stored - 2]).toBe('changed');
        // One after the other they may both be done.
        if (codes[3 - stored] !== 'changed') {
          expect(codes[3 - stored]).toBe('different-number');
          refusals += 1;
        }
      }
      expect(refusals).toBeGreaterThan(0);
    });

    test('what another client keeps in the node is left alone, and nothing is checked', async () => {
      await using zk = await connect();
      const path = freshPath('semaphore');
      await zk.create(path, '10.0.0.7');
      await using _ = await new Semaphore(zk, path, { permits: 1 }).acquire();
      await using __ = await new Semaphore(zk, path, { permits: 2 }).acquire();
      expect(await codeOf(new Semaphore(zk, path, { permits: 2 }).resize(3))).toBe('wrong-kind');
      expect((await zk.get(path)).data.toString()).toBe('10.0.0.7');
    });

    test('nothing is written where something else is: a queue, or a lock', async () => {
      await using zk = await connect();
      const [queue, lock] = [freshPath('queue'), freshPath('lock')];
      await new Queue(zk, queue).put('a ride');
      expect((await errorOf(new Semaphore(zk, queue, { permits: 1 }).acquire())).message).toContain(
        'expected a semaphore, found a queue',
      );
      await using _ = await new Lock(zk, lock).acquire();
      expect(await codeOf(new Semaphore(zk, lock, { permits: 1 }).acquire())).toBe('wrong-kind');
      expect(await new Lock(zk, lock).holders()).toHaveLength(1);
    });

    test('when everything was deleted, whoever comes first decides again', async () => {
      await using zk = await connect();
      const path = freshPath('semaphore');
      const old = new Semaphore(zk, path, { permits: 1 });
      await (await old.acquire()).release();
      await zk.delete(path, { recursive: true });
      await using _ = await new Semaphore(zk, path, { permits: 2 }).acquire();
      expect(await codeOf(old.acquire())).toBe('different-number');
      expect(await childrenOf(zk, `${path}/leases`)).toHaveLength(1);
    });
  });
}
