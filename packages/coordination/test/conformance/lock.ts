import { eventually } from '@quorate/testbed';
import { describe, expect, test } from 'vitest';
import { type Lease, type LeaseEndedError, Lock } from '../../src/index.ts';
import { type Connect, childrenOf, codeOf, errorOf, freshPath } from './store.ts';

export function lockConformance(connect: Connect): void {
  describe('a lock', () => {
    test('one at a time holds it, first come, first served, with tokens that increase', async () => {
      const path = freshPath('lock');
      const sessions = await Promise.all(Array.from({ length: 5 }, connect));
      const first = await new Lock(sessions[0] as never, path).acquire();
      const order: number[] = [];
      const tokens: bigint[] = [first.token];
      const waiting: Promise<void>[] = [];
      let holding = 0;
      for (const [index, zk] of sessions.entries()) {
        if (index === 0) continue;
        waiting.push(
          new Lock(zk, path).with((lease) => {
            holding += 1;
            expect(holding).toBe(1);
            order.push(index);
            tokens.push(lease.token);
            holding -= 1;
          }),
        );
        await eventually('its place in line', async () => (await childrenOf(zk, path)).length === index + 1);
      }
      expect(order).toEqual([]);
      await first.release();
      await Promise.all(waiting);
      expect(order).toEqual([1, 2, 3, 4]);
      expect(tokens).toEqual([...tokens].sort((a, b) => Number(a - b)));
      expect(new Set(tokens).size).toBe(5);
      await Promise.all(sessions.map((zk) => zk.close()));
    });

    test('the token is the transaction that created the node, and the node is named as Curator names it', async () => {
      await using zk = await connect();
      const path = freshPath('lock');
      await using lease = await new Lock(zk, path).acquire();
      const [name = ''] = await childrenOf(zk, path);
      expect(name).toMatch(/^_c_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-lock-\d{10}$/);
      const { stat } = await zk.get(`${path}/${name}`);
      expect(lease.token).toBe(stat.czxid);
      expect(stat.ephemeralOwner).toBe(zk.id);
    });

    test('tryAcquire gets it when it is free, and otherwise nothing, of which nothing is left', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = freshPath('lock');
      const held = await new Lock(zk, path).tryAcquire();
      expect(held).toBeDefined();
      expect(await new Lock(other, path).tryAcquire()).toBeUndefined();
      expect(await childrenOf(zk, path)).toHaveLength(1);
      await held?.release();
      await using again = await new Lock(other, path).tryAcquire();
      expect(again?.token).toBeGreaterThan(held?.token ?? 0n);
    });

    test('a wait that takes too long says for what and behind how many, and leaves nothing', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = freshPath('lock');
      await using _ = await new Lock(zk, path).acquire();
      const error = await errorOf(new Lock(other, path).acquire({ timeout: 50 }));
      expect(error).toMatchObject({ code: 'deadline-exceeded' });
      expect(error.message).toContain(`${path}: not acquired within 50 ms`);
      await eventually('nothing left', async () => (await childrenOf(zk, path)).length === 1);
    });

    test('a wait that has seen who is ahead says so', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = freshPath('lock');
      await using _ = await new Lock(zk, path).acquire();
      const lock = new Lock(other, path);
      const error = errorOf(lock.acquire({ timeout: 1_000 }));
      await eventually('a waiter', async () => (await lock.waiters()).length === 1);
      expect((await error).message).toContain('1 ahead in line when last seen');
    });

    test('a wait is aborted at once, with the reason of its signal, and leaves nothing', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = freshPath('lock');
      await using held = await new Lock(zk, path).acquire();
      const stop = new AbortController();
      const waiting = new Lock(other, path).acquire({ signal: stop.signal });
      await eventually('a waiter', async () => (await childrenOf(zk, path)).length === 2);
      stop.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
      await eventually('nothing left', async () => (await childrenOf(zk, path)).length === 1);
      expect(held.signal.aborted).toBe(false);
    });

    test('a waiter that gives up does not let anybody pass who has to wait', async () => {
      await using zk = await connect();
      await using middle = await connect();
      await using last = await connect();
      const path = freshPath('lock');
      const held = await new Lock(zk, path).acquire();
      const stop = new AbortController();
      const givesUp = new Lock(middle, path).acquire({ signal: stop.signal }).catch(() => 'gave up');
      await eventually('two in line', async () => (await childrenOf(zk, path)).length === 2);
      let got: Lease | undefined;
      const acquired = new Lock(last, path).acquire().then((lease) => {
        got = lease;
      });
      await eventually('three in line', async () => (await childrenOf(zk, path)).length === 3);
      stop.abort();
      expect(await givesUp).toBe('gave up');
      await eventually('two in line again', async () => (await childrenOf(zk, path)).length === 2);
      // Requests of a session are answered in order: what the wake-up led to has been answered before this.
      await last.sync(path);
      await last.get('/');
      expect(got).toBeUndefined();
      await held.release();
      await acquired;
      await got?.release();
    });

    test('release ends the signal, then the node; it may be called twice, and the lease is of no use afterwards', async () => {
      await using zk = await connect();
      const path = freshPath('lock');
      const lease = await new Lock(zk, path).acquire();
      let nodes: Promise<string[]> | undefined;
      lease.signal.addEventListener('abort', () => {
        nodes = childrenOf(zk, path);
      });
      await lease.release();
      expect(await nodes, 'when the signal aborted').toHaveLength(1);
      expect(await childrenOf(zk, path)).toEqual([]);
      await lease.release();
      await lease[Symbol.asyncDispose]();
      expect((lease.signal.reason as LeaseEndedError).reason).toBe('released');
      expect(() => lease.guard(zk.transaction())).toThrow(path);
      expect(await codeOf((async () => lease.guard(zk.transaction()))())).toBe('lease-released');
      expect(await codeOf(new Lock(zk, path).acquire({ holding: lease }))).toBe('invalid-argument');
    });

    test('a guarded transaction commits while it is held, and not when the node is gone', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = freshPath('lock');
      const file = freshPath('file');
      await zk.create(file, 'old');
      await using lease = await new Lock(zk, path).acquire();
      await lease.guard(zk.transaction()).set(file, 'new').commit();
      const [name] = await childrenOf(zk, path);
      await other.delete(`${path}/${name}`);
      expect(await codeOf(lease.guard(zk.transaction()).set(file, 'newer').commit())).toBe('no-node');
      expect((await zk.get(file)).data.toString()).toBe('new');
    });

    test('when its session ends, the lease does first', async () => {
      await using other = await connect();
      const zk = await connect();
      const path = freshPath('lock');
      const lease = await new Lock(zk, path).acquire();
      const closed = zk.close();
      expect(lease.signal.aborted).toBe(true);
      expect((lease.signal.reason as LeaseEndedError).reason).toBe('lost');
      await closed;
      await lease.release();
      await using next = await new Lock(other, path).acquire();
      expect(next.token).toBeGreaterThan(lease.token);
    });

    test('it is reentrant by handle: the lock goes with the last lease of it', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = freshPath('lock');
      const lock = new Lock(zk, path);
      const outer = await lock.acquire();
      const inner = await lock.acquire({ holding: outer });
      expect(inner.token).toBe(outer.token);
      await outer.release();
      expect(outer.signal.aborted).toBe(true);
      expect(inner.signal.aborted).toBe(false);
      expect(await new Lock(other, path).tryAcquire()).toBeUndefined();
      await inner.release();
      await using next = await new Lock(other, path).tryAcquire();
      expect(next).toBeDefined();
      expect(await codeOf(lock.acquire({ holding: outer }))).toBe('invalid-argument');
    });

    test('a lease of another lock is no reason to get in', async () => {
      await using zk = await connect();
      const path = freshPath('lock');
      await using other = await new Lock(zk, freshPath('lock')).acquire();
      const error = await errorOf(new Lock(zk, path).acquire({ holding: other }));
      expect(error.message).toContain(`holding: expected a lease of ${path}`);
    });

    test('with: lets go after the work, whatever came of it', async () => {
      await using zk = await connect();
      const path = freshPath('lock');
      const lock = new Lock(zk, path);
      expect(await lock.with((lease) => lease.token > 0n)).toBe(true);
      await expect(
        lock.with(() => {
          throw new Error('of the work');
        }),
      ).rejects.toThrow('of the work');
      expect(await childrenOf(zk, path)).toEqual([]);
    });

    test('who holds it and who waits, since when and in which session', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = freshPath('lock');
      const lock = new Lock(zk, path, { id: 'ann' });
      expect([await lock.holders(), await lock.waiters()]).toEqual([[], []]);
      await using held = await lock.acquire();
      const stop = new AbortController();
      const waiting = new Lock(other, path, { id: 'bob' }).acquire({ signal: stop.signal }).catch(() => undefined);
      const [waiter] = await eventually('a waiter', async () => {
        const waiters = await lock.waiters();
        return waiters.length > 0 ? waiters : undefined;
      });
      expect(waiter).toMatchObject({ id: 'bob', session: other.id, holds: false });
      const [holder, ...more] = await lock.holders();
      expect(more).toEqual([]);
      expect(holder).toMatchObject({ id: 'ann', session: zk.id, token: held.token, holds: true });
      expect(Math.abs(Date.now() - Number(holder?.since))).toBeLessThan(60_000);
      stop.abort();
      await waiting;
    });

    test('a holder can be asked to let go; until it does, it holds', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = freshPath('lock');
      const file = freshPath('file');
      await zk.create(file, '');
      const lease = await new Lock(zk, path, { revocable: true }).acquire();
      const revoked = new Promise<LeaseEndedError>((resolve) => {
        lease.signal.addEventListener('abort', () => resolve(lease.signal.reason));
      });
      expect(await new Lock(other, path).revoke()).toBe(1);
      expect((await revoked).reason).toBe('revoked');
      await lease.guard(zk.transaction()).set(file, 'finished').commit();
      expect(await new Lock(other, path).tryAcquire()).toBeUndefined();
      await lease.release();
      await using next = await new Lock(other, path).acquire();
      expect(next.token).toBeGreaterThan(lease.token);
      expect(await codeOf((async () => lease.guard(zk.transaction()))())).toBe('lease-released');
    });

    test('asking moves nobody who is not revocable, and wakes nobody into holding', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = freshPath('lock');
      const lease = await new Lock(zk, path).acquire();
      let got = false;
      const waiting = new Lock(other, path).acquire().then((next) => {
        got = true;
        return next;
      });
      await eventually('a waiter', async () => (await childrenOf(zk, path)).length === 2);
      expect(await new Lock(other, path).revoke()).toBe(1);
      await other.sync(path);
      await other.get('/');
      expect([lease.signal.aborted, got]).toEqual([false, false]);
      await lease.release();
      await (await waiting).release();
    });

    test('a revocable lease hears that somebody has deleted its node', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = freshPath('lock');
      await using lease = await new Lock(zk, path, { revocable: true }).acquire();
      const [name] = await childrenOf(zk, path);
      await other.delete(`${path}/${name}`);
      await eventually('the end of the lease', () => lease.signal.aborted);
      expect((lease.signal.reason as LeaseEndedError).reason).toBe('lost');
    });

    test('a waiter whose node was deleted by somebody stands in line again', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = freshPath('lock');
      const held = await new Lock(zk, path).acquire();
      const [holder] = await childrenOf(zk, path);
      const waiting = new Lock(other, path).acquire();
      const place = await eventually('a waiter', async () => {
        return (await childrenOf(zk, path)).find((name) => name !== holder);
      });
      await zk.delete(`${path}/${place}`);
      await held.release();
      await using lease = await waiting;
      expect(lease.signal.aborted).toBe(false);
      expect(await childrenOf(zk, path)).toHaveLength(1);
    });

    test('a waiter whose node was deleted, with the whole path, stands in line again', async () => {
      await using zk = await connect();
      await using other = await connect();
      const path = freshPath('lock');
      const held = await new Lock(zk, path).acquire();
      const waiting = new Lock(other, path).acquire();
      await eventually('a waiter', async () => (await childrenOf(zk, path)).length === 2);
      await zk.delete(path, { recursive: true });
      await using lease = await waiting;
      expect(lease.token).toBeGreaterThan(held.token);
      await held.release();
    });

    test.each(['45c1ae9668984d00ad01a8f50a774454-lock-', '_c_00000000-0000-0000-0000-000000000000-lock-', 'lock-'])(
      'a node called %s… counts, whoever made it',
      async (prefix) => {
        await using zk = await connect();
        await using foreign = await connect();
        const path = freshPath('lock');
        await foreign.create(path);
        const { path: node } = await foreign.create(`${path}/${prefix}`, '', {
          mode: 'ephemeral-sequential',
          protected: false,
        });
        expect(await new Lock(zk, path).tryAcquire()).toBeUndefined();
        const waiting = new Lock(zk, path).acquire();
        await eventually('a waiter', async () => (await childrenOf(zk, path)).length === 2);
        await foreign.delete(node);
        await using lease = await waiting;
        expect(lease.token).toBeGreaterThan(0n);
      },
    );

    test('children that stand in no line are let be', async () => {
      await using zk = await connect();
      const path = freshPath('lock');
      await zk.create(`${path}/notes-0000000000`, 'x', { parents: true });
      await using _ = await new Lock(zk, path).acquire({ timeout: 5_000 });
    });

    test('a path that is in use for something else is refused, and nothing is left there', async () => {
      await using zk = await connect();
      const [election, data, ephemeral] = [freshPath('election'), freshPath('data'), freshPath('ephemeral')];
      await zk.create(`${election}/latch-0000000007`, 'x', { parents: true });
      await zk.create(data, '17');
      await zk.create(ephemeral, '', { mode: 'ephemeral' });
      expect((await errorOf(new Lock(zk, election).acquire())).message).toContain('an election (latch-0000000007)');
      expect(await codeOf(new Lock(zk, election).tryAcquire())).toBe('wrong-kind');
      expect((await errorOf(new Lock(zk, data).acquire())).message).toContain('data of its own (2 bytes)');
      expect(await codeOf(new Lock(zk, ephemeral).acquire())).toBe('wrong-kind');
      await eventually('nothing left', async () => (await childrenOf(zk, election)).length === 1);
      await eventually('nothing left', async () => (await childrenOf(zk, data)).length === 0);
    });

    test('the lock below the root, and a path that is not there yet', async () => {
      await using zk = await connect();
      await using _ = await new Lock(zk, `${freshPath('a')}/b/c`).acquire();
    });

    test('on a closed session nothing is acquired', async () => {
      const zk = await connect();
      await zk.close();
      const lock = new Lock(zk, freshPath('lock'));
      expect(await codeOf(lock.acquire())).toBe('session-closed');
      expect(await codeOf(lock.tryAcquire())).toBe('session-closed');
    });

    test('when the session ends, so does the wait', async () => {
      await using other = await connect();
      const zk = await connect();
      const path = freshPath('lock');
      await using _ = await new Lock(other, path).acquire();
      const code = codeOf(new Lock(zk, path).acquire());
      await eventually('a waiter', async () => (await childrenOf(other, path)).length === 2);
      await zk.close();
      expect(await code).toBe('session-closed');
    });

    test('bad options are refused by name, before anything is touched', async () => {
      await using zk = await connect();
      const path = freshPath('lock');
      const bad = [
        [() => new Lock(zk, 'locks'), 'path'],
        [() => new Lock(zk, '/locks/'), 'path'],
        [() => new Lock(zk, path, { id: '' }), 'id'],
        [() => new Lock(zk, path, { id: 'a\nb' }), 'id'],
        [() => new Lock(zk, path, { onSuspended: 'ignore' as never }), 'onSuspended'],
        [() => new Lock(zk, path, { revocable: 1 as never }), 'revocable'],
      ] as const;
      for (const [make, argument] of bad) expect(make).toThrow(expect.objectContaining({ argument }));
      const lock = new Lock(zk, path);
      await expect(lock.acquire({ timeout: -1 })).rejects.toMatchObject({ argument: 'timeout' });
      await expect(lock.acquire({ timeout: '5s' as never })).rejects.toMatchObject({ argument: 'timeout' });
      await expect(lock.acquire({ signal: {} as never })).rejects.toMatchObject({ argument: 'signal' });
      await expect(lock.acquire({ holding: {} as never })).rejects.toMatchObject({ argument: 'holding' });
      await expect(lock.with(undefined as never)).rejects.toMatchObject({ argument: 'work' });
      expect(await zk.exists(path)).toBeUndefined();
    });
  });
}
