import { eventually } from '@quorate/testbed';
import type { ZooKeeper } from '@quorate/zookeeper';
import { describe, expect, test } from 'vitest';
import { DoubleBarrier, Lock } from '../../src/index.ts';
import { type Connect, codeOf, errorOf, freshPath } from './store.ts';
import { pending } from './waiting.ts';

/** What a double barrier must do. `connect` opens another session of one and the same ZooKeeper. */
export function doubleBarrierConformance(connect: Connect): void {
  describe('a double barrier', () => {
    const somewhere = (): string => `${freshPath('double-barrier')}/below`;
    const participants = (zk: ZooKeeper, path: string, size: number, count = size): DoubleBarrier[] =>
      Array.from({ length: count }, () => new DoubleBarrier(zk, path, { size }));
    const childrenOf = async (zk: ZooKeeper, path: string): Promise<number> => (await zk.children(path)).names.length;

    test('lets nobody in before all have come, and nobody go before all leave; twice', async () => {
      await using one = await connect();
      await using two = await connect();
      const path = somewhere();
      const [a, b, c] = [one, two, two].map((zk) => new DoubleBarrier(zk, path, { size: 3 })) as [
        DoubleBarrier,
        DoubleBarrier,
        DoubleBarrier,
      ];
      for (let round = 0; round < 2; round += 1) {
        const first = [a, b].map((each) => pending(each.enter()));
        await eventually('two have come', async () => (await childrenOf(one, path)) === 2);
        expect(first.some(({ isSettled }) => isSettled)).toBe(false);
        await c.enter();
        await Promise.all(first.map(({ outcome }) => outcome));
        const leaving = [c, a].map((each) => pending(each.leave()));
        // The first by name stays to the last: one or two are left besides `ready`.
        await eventually('they are leaving', async () => (await childrenOf(one, path)) <= 3);
        expect(leaving.some(({ isSettled }) => isSettled)).toBe(false);
        await b.leave();
        await Promise.all(leaving.map(({ outcome }) => outcome));
        await one.sync(path);
        expect(await childrenOf(one, path)).toBe(0);
      }
    });

    test('one alone is enough for a size of one', async () => {
      await using zk = await connect();
      const barrier = new DoubleBarrier(zk, somewhere(), { size: 1 });
      await barrier.enter();
      await barrier.leave();
      await barrier.enter({ timeout: 10_000 });
      await barrier.leave({ timeout: 10_000 });
    });

    test('many at once are all let in and all let go, round after round', async () => {
      await using one = await connect();
      await using two = await connect();
      const path = somewhere();
      const all = [...participants(one, path, 20, 10), ...participants(two, path, 20, 10)];
      let inside = 0;
      for (let round = 0; round < 3; round += 1) {
        const seen = await Promise.all(
          all.map(async (each) => {
            inside += 1;
            await each.enter();
            return inside;
          }),
        );
        expect(seen).toEqual(Array(20).fill(20));
        await Promise.all(
          all.map(async (each) => {
            inside -= 1;
            await each.leave();
            expect(inside).toBe(0);
          }),
        );
      }
      expect(await childrenOf(one, path)).toBe(0);
    });

    test('an enter that is aborted or times out withdraws, and does not count', async () => {
      await using zk = await connect();
      const path = somewhere();
      const [a, b, c] = participants(zk, path, 2, 3) as [DoubleBarrier, DoubleBarrier, DoubleBarrier];
      const reason = new Error('enough');
      const controller = new AbortController();
      const aborted = a.enter({ signal: controller.signal });
      await eventually('it has come', async () => (await childrenOf(zk, path)) === 1);
      controller.abort(reason);
      await expect(aborted).rejects.toBe(reason);
      expect(await codeOf(a.enter({ timeout: 30 }))).toBe('deadline-exceeded');
      await eventually('nothing is left', async () => (await childrenOf(zk, path)) === 0);
      await expect(a.enter({ signal: controller.signal })).rejects.toBe(reason);
      const waiting = pending(b.enter());
      await eventually('it has come', async () => (await childrenOf(zk, path)) === 1);
      expect(waiting.isSettled).toBe(false);
      await Promise.all([waiting.outcome, c.enter()]);
      await Promise.all([b.leave(), c.leave()]);
    });

    test('one that dies while it waits does not count; one that dies inside holds nobody up', async () => {
      await using zk = await connect();
      const path = somewhere();
      const [a, b] = participants(zk, path, 2) as [DoubleBarrier, DoubleBarrier];
      const dead = await connect();
      const dying = codeOf(new DoubleBarrier(dead, path, { size: 2 }).enter());
      await eventually('it has come', async () => (await childrenOf(zk, path).catch(() => 0)) === 1);
      await dead.close();
      expect(await dying).toBe('session-closed');
      const waiting = pending(a.enter());
      await eventually('it has come', async () => (await childrenOf(zk, path)) === 1);
      expect(waiting.isSettled).toBe(false);

      const mortal = await connect();
      const inside = new DoubleBarrier(mortal, path, { size: 2 });
      await Promise.all([waiting.outcome, inside.enter()]);
      const leaving = pending(a.leave());
      await zk.exists(path);
      expect(leaving.isSettled).toBe(false);
      await mortal.close();
      await leaving.outcome;
      expect(await codeOf(inside.leave())).toBe('session-closed');

      await Promise.all([a.enter(), b.enter()]);
      await Promise.all([a.leave(), b.leave()]);
    });

    test('all of a round die inside: what they leave behind does not open the next one', async () => {
      await using zk = await connect();
      const path = somewhere();
      const mortal = await connect();
      await Promise.all(participants(mortal, path, 2).map((each) => each.enter()));
      await mortal.close();
      // The other session may be on a member that lags behind.
      await zk.sync(path);
      expect((await zk.children(path)).names).toEqual(['ready']);
      const [a, b] = participants(zk, path, 2) as [DoubleBarrier, DoubleBarrier];
      expect(await codeOf(a.enter({ timeout: 200 }))).toBe('deadline-exceeded');
      await Promise.all([a.enter(), b.enter()]);
      await Promise.all([a.leave(), b.leave()]);
      expect((await zk.children(path)).names).toEqual([]);
    });

    test('who comes late waits for the next round', async () => {
      await using zk = await connect();
      const path = somewhere();
      const [a, b, late] = participants(zk, path, 2, 3) as [DoubleBarrier, DoubleBarrier, DoubleBarrier];
      await Promise.all([a.enter(), b.enter()]);
      const waiting = pending(late.enter());
      expect(await codeOf(new DoubleBarrier(zk, path, { size: 2 }).enter({ timeout: 100 }))).toBe('deadline-exceeded');
      const left = a.leave();
      await b.leave();
      await left;
      expect(waiting.isSettled).toBe(false);
      await Promise.all([a.enter(), waiting.outcome]);
      await Promise.all([a.leave(), late.leave()]);
      expect((await zk.children(path)).names).toEqual([]);
    });

    test('a leave that is given up has left all the same', async () => {
      await using zk = await connect();
      const path = somewhere();
      const [a, b] = participants(zk, path, 2) as [DoubleBarrier, DoubleBarrier];
      await Promise.all([a.enter(), b.enter()]);
      expect(await codeOf(a.leave({ timeout: 30 }))).toBe('deadline-exceeded');
      await b.leave();
      await Promise.all([a.enter(), b.enter()]);
      const reason = new Error('enough');
      for (const each of [a, b]) await expect(each.leave({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      await Promise.all([a.enter(), b.enter()]);
      await Promise.all([a.leave(), b.leave()]);
      expect((await zk.children(path)).names).toEqual([]);
    });

    test('changes that are no reason to open do not open it', async () => {
      await using zk = await connect();
      const path = somewhere();
      const [a, b, c] = participants(zk, path, 3) as [DoubleBarrier, DoubleBarrier, DoubleBarrier];
      const waiting = [a, b].map((each) => pending(each.enter()));
      await eventually('two have come', async () => (await childrenOf(zk, path)) === 2);
      for (let touch = 0; touch < 10; touch += 1) {
        for (const name of (await zk.children(path)).names) await zk.set(`${path}/${name}`, String(touch));
        await zk.set(path, '');
        // Wakes all who wait for `ready`, and leaves nothing of it.
        await zk.transaction().create(`${path}/ready`).delete(`${path}/ready`).commit();
      }
      expect(waiting.some(({ isSettled }) => isSettled)).toBe(false);
      await Promise.all([c.enter(), ...waiting.map(({ outcome }) => outcome)]);
      await Promise.all([a, b, c].map((each) => each.leave()));
    });

    test('enter and leave take turns', async () => {
      await using zk = await connect();
      const [a, b] = participants(zk, somewhere(), 2) as [DoubleBarrier, DoubleBarrier];
      expect(await codeOf(a.leave())).toBe('barrier-state');
      const entering = a.enter();
      expect(await codeOf(a.enter())).toBe('barrier-state');
      await Promise.all([entering, b.enter()]);
      expect(await codeOf(a.enter())).toBe('barrier-state');
      const leaving = a.leave();
      expect(await codeOf(a.leave())).toBe('barrier-state');
      await Promise.all([leaving, b.leave()]);
    });

    test('a path that holds something else is refused, and stays', async () => {
      await using zk = await connect();
      const path = somewhere();
      await zk.create(path, '{"config":1}', { parents: true });
      const barrier = new DoubleBarrier(zk, path, { size: 1 });
      expect(await codeOf(barrier.enter())).toBe('wrong-kind');
      await zk.set(path, '');
      await zk.create(`${path}/_c_6b1d52dd-3f1c-4f3e-9c4e-6f4f0c2b1a11-lock-0000000000`);
      expect(await codeOf(barrier.enter())).toBe('wrong-kind');
      expect(await childrenOf(zk, path)).toBe(1);
    });

    test.each([
      ['path', (zk: ZooKeeper) => new DoubleBarrier(zk, '/a//b', { size: 1 }).enter()],
      ['path', (zk: ZooKeeper) => new DoubleBarrier(zk, '/', { size: 1 }).enter()],
      ['size', (zk: ZooKeeper) => new DoubleBarrier(zk, '/d', { size: 0 }).enter()],
      ['size', (zk: ZooKeeper) => new DoubleBarrier(zk, '/d', { size: 1.5 }).enter()],
      ['size', (zk: ZooKeeper) => new DoubleBarrier(zk, '/d', { size: 1_001 }).enter()],
      ['size', (zk: ZooKeeper) => new DoubleBarrier(zk, '/d', {} as never).enter()],
      ['timeout', (zk: ZooKeeper) => new DoubleBarrier(zk, '/d', { size: 1 }).enter({ timeout: '5' as never })],
    ])('refuses a bad %s before anything is sent (%#)', async (argument, call) => {
      await using zk = await connect();
      const refused = Promise.resolve().then((): Promise<unknown> => call(zk));
      await expect(refused).rejects.toMatchObject({ code: 'invalid-argument', argument });
    });

    test('who says another size is refused with both, before anything is touched, round after round', async () => {
      await using one = await connect();
      await using two = await connect();
      const path = somewhere();
      const pair = [one, two].map((zk) => new DoubleBarrier(zk, path, { size: 2 }));
      for (let round = 0; round < 3; round += 1) {
        const [first, second] = pair as [DoubleBarrier, DoubleBarrier];
        const entering = pending(first.enter());
        await eventually('one has come', async () => (await one.exists(path))?.numChildren === 1);
        expect(await errorOf(new DoubleBarrier(two, path, { size: 3 }).enter())).toMatchObject({
          code: 'different-number',
          happened: 'no',
          retryable: false,
          message: expect.stringContaining('the number of participants is 2 here, and 3 was said'),
        });
        expect(await childrenOf(one, path)).toBe(1);
        await second.enter();
        await entering.outcome;
        await Promise.all(pair.map((each) => each.leave()));
      }
      expect((await one.get(path)).data.toString()).toBe('quorate.double-barrier 2');
    });

    test('of two who come first and say different sizes, one decides, and the other is refused', async () => {
      await using one = await connect();
      await using two = await connect();
      for (let round = 0; round < 10; round += 1) {
        const path = somewhere();
        const both = [one, two].map((zk, index) => new DoubleBarrier(zk, path, { size: index + 2 }));
        const entering = both.map((each) => pending(each.enter({ timeout: 5_000 })));
        const code = await Promise.any(
          entering.map(async ({ outcome }) => {
            const found = await codeOf(outcome);
            if (found !== 'different-number') throw new Error(found);
            return found;
          }),
        );
        expect(code).toBe('different-number');
        const winner = entering.findIndex(({ isSettled }) => !isSettled);
        await one.sync(path);
        expect((await one.get(path)).data.toString()).toBe(`quorate.double-barrier ${winner + 2}`);
        await both[winner]?.resize(1);
        await entering[winner]?.outcome;
        await both[winner]?.leave();
      }
    });

    test('a smaller size: those who wait are let in, and the next round counts by it', async () => {
      await using one = await connect();
      await using two = await connect();
      const path = somewhere();
      const [a, b] = [one, two].map((zk) => new DoubleBarrier(zk, path, { size: 3 })) as [DoubleBarrier, DoubleBarrier];
      const entering = [a, b].map((each) => each.enter());
      await eventually('both have come', async () => (await one.exists(path))?.numChildren === 2);
      await new DoubleBarrier(two, path, { size: 3 }).resize(2);
      await Promise.all(entering);
      await Promise.all([a.leave(), b.leave()]);
      await Promise.all([a.enter(), b.enter()]);
      expect([a.size, b.size]).toEqual([2, 2]);
      await Promise.all([a.leave(), b.leave()]);
      expect(await codeOf(new DoubleBarrier(one, path, { size: 3 }).enter())).toBe('different-number');
    });

    test('a larger size: as many as were enough before wait, for those who are in line and those who follow', async () => {
      await using one = await connect();
      await using two = await connect();
      const path = somewhere();
      const [a, b, c] = [one, two, one].map((zk) => new DoubleBarrier(zk, path, { size: 2 })) as [
        DoubleBarrier,
        DoubleBarrier,
        DoubleBarrier,
      ];
      await Promise.all([a.enter(), b.enter()]);
      // While a round is open, too: it goes on as it is.
      await a.resize(3);
      await Promise.all([a.leave(), b.leave()]);
      const entering = [a, b].map((each) => pending(each.enter()));
      await eventually('both have come', async () => (await one.exists(path))?.numChildren === 2);
      expect(entering.some(({ isSettled }) => isSettled)).toBe(false);
      expect(await codeOf(c.enter())).toBe('different-number');
      const third = new DoubleBarrier(two, path, { size: 3 });
      await third.enter();
      await Promise.all(entering.map(({ outcome }) => outcome));
      await Promise.all([a, b, third].map((each) => each.leave()));
    });

    test('an address that Curator keeps in the node stays through a round, and nothing is checked', async () => {
      await using zk = await connect();
      const path = somewhere();
      await zk.create(path, '10.0.0.7', { parents: true });
      const [a, b] = [2, 1].map((size) => new DoubleBarrier(zk, path, { size })) as [DoubleBarrier, DoubleBarrier];
      const entering = a.enter();
      await eventually('one has come', async () => (await zk.exists(path))?.numChildren === 1);
      await Promise.all([entering, b.enter()]);
      await Promise.all([a.leave(), b.leave()]);
      expect((await zk.get(path)).data.toString()).toBe('10.0.0.7');
      expect(await codeOf(a.resize(3))).toBe('wrong-kind');
    });

    test('nothing is written where something else is', async () => {
      await using zk = await connect();
      const path = freshPath('lock');
      await using _ = await new Lock(zk, path).acquire();
      expect(await codeOf(new DoubleBarrier(zk, path, { size: 1 }).enter())).toBe('wrong-kind');
      expect(await new Lock(zk, path).holders()).toHaveLength(1);
    });
  });
}
