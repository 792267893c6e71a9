import { eventually } from '@quorate/testbed';
import type { ZooKeeper } from '@quorate/zookeeper';
import { describe, expect, test } from 'vitest';
import { Barrier } from '../../src/index.ts';
import { type Connect, codeOf, freshPath } from './store.ts';
import { codesOf, pending } from './waiting.ts';

/** What a barrier must do on whatever gives our interface of ZooKeeper. `connect` opens another session of one and the same. */
export function barrierConformance(connect: Connect): void {
  describe('a barrier', () => {
    const somewhere = (): string => `${freshPath('barrier')}/below`;

    test('an open barrier holds nobody back', async () => {
      await using zk = await connect();
      await new Barrier(zk, somewhere()).wait();
    });

    test('a raised barrier holds back all who come, until it is lifted for all', async () => {
      await using one = await connect();
      await using two = await connect();
      const path = somewhere();
      await new Barrier(one, path).raise();
      const waiting = [one, one, two, two].map((zk) => pending(new Barrier(zk, path).wait()));
      expect(await codeOf(new Barrier(two, path).wait({ timeout: 50 }))).toBe('deadline-exceeded');
      expect(waiting.some(({ isSettled }) => isSettled)).toBe(false);
      await new Barrier(two, path).lift();
      await Promise.all(waiting.map(({ outcome }) => outcome));
      await new Barrier(one, path).wait();
    });

    test('raising what is raised and lifting what is open does nothing', async () => {
      await using zk = await connect();
      const barrier = new Barrier(zk, somewhere());
      await barrier.lift();
      await Promise.all([barrier.raise(), barrier.raise()]);
      await barrier.raise();
      expect(await codeOf(barrier.wait({ timeout: 20 }))).toBe('deadline-exceeded');
      await Promise.all([barrier.lift(), barrier.lift()]);
      await barrier.lift();
      await barrier.wait();
    });

    test('the barrier stays closed when who raised it is gone', async () => {
      await using zk = await connect();
      const path = somewhere();
      {
        await using raiser = await connect();
        await new Barrier(raiser, path).raise();
      }
      expect(await codeOf(new Barrier(zk, path).wait({ timeout: 50 }))).toBe('deadline-exceeded');
    });

    test('a change of the node that is no lifting lets nobody through', async () => {
      await using zk = await connect();
      const path = somewhere();
      const barrier = new Barrier(zk, path);
      await barrier.raise();
      const waiting = pending(barrier.wait());
      for (let touch = 0; touch < 20; touch += 1) await zk.set(path, '');
      expect(await codeOf(barrier.wait({ timeout: 50 }))).toBe('deadline-exceeded');
      expect(waiting.isSettled).toBe(false);
      await barrier.lift();
      await waiting.outcome;
    });

    test('a wait that is aborted rejects with the reason, at once and later', async () => {
      await using zk = await connect();
      const barrier = new Barrier(zk, somewhere());
      await barrier.raise();
      const reason = new Error('enough');
      await expect(barrier.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      const controller = new AbortController();
      const waiting = barrier.wait({ signal: controller.signal });
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await barrier.lift();
    });

    test('closing the session ends the wait', async () => {
      await using other = await connect();
      const zk = await connect();
      const path = somewhere();
      await new Barrier(other, path).raise();
      const waiting = codeOf(new Barrier(zk, path).wait());
      await zk.exists(path);
      await zk.close();
      expect(await waiting).toBe('session-closed');
      const closed = new Barrier(zk, path);
      const calls = [closed.wait(), closed.raise(), closed.lift()];
      expect(await codesOf(calls)).toEqual(Array(3).fill('session-closed'));
    });

    test('a node of Curator is a barrier; one with other data or with children is not, and stays', async () => {
      await using zk = await connect();
      const path = somewhere();
      await zk.create(path, '192.168.0.7', { parents: true });
      const barrier = new Barrier(zk, path);
      expect(await codeOf(barrier.wait({ timeout: 20 }))).toBe('deadline-exceeded');
      await barrier.lift();
      await zk.create(path, '{"config":1}');
      const calls = (): Promise<unknown>[] => [barrier.wait(), barrier.raise(), barrier.lift()];
      expect(await codesOf(calls())).toEqual(Array(3).fill('wrong-kind'));
      await zk.set(path, '');
      await zk.create(`${path}/_c_x-lock-0000000000`);
      expect(await codesOf(calls())).toEqual(Array(3).fill('wrong-kind'));
      await eventually('it is as it was', async () => (await zk.children(path)).names.length === 1);
    });

    test.each([
      ['path', (zk: ZooKeeper) => new Barrier(zk, 'relative').wait()],
      ['path', (zk: ZooKeeper) => new Barrier(zk, '/').raise()],
      ['zk', () => new Barrier({} as ZooKeeper, '/b').raise()],
      ['timeout', (zk: ZooKeeper) => new Barrier(zk, '/b').wait({ timeout: -1 })],
      ['timeout', (zk: ZooKeeper) => new Barrier(zk, '/b').wait({ timeout: Number.NaN })],
      ['signal', (zk: ZooKeeper) => new Barrier(zk, '/b').raise({ signal: {} as never })],
      ['signal', (zk: ZooKeeper) => new Barrier(zk, '/b').wait({ signal: 5 as never })],
    ])('refuses a bad %s before anything is sent (%#)', async (argument, call) => {
      await using zk = await connect();
      const refused = Promise.resolve().then((): Promise<unknown> => call(zk));
      await expect(refused).rejects.toMatchObject({ code: 'invalid-argument', argument });
    });
  });
}
