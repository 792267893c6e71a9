import { eventually } from '@quorate/testbed';
import { describe, expect, test } from 'vitest';
import { type Candidate, Election, type Lease, type LeaseEndedError } from '../../src/index.ts';
import { type Connect, childrenOf, codeOf, errorOf, freshPath } from './store.ts';

/** A promise and how to keep it. */
function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

export function electionConformance(connect: Connect): void {
  describe('an election', () => {
    test('the first to stand leads; when it resigns, the next one does, with a larger token', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('election');
      const first = await new Election(a, path, { id: 'a' }).campaign();
      const second = new Election(b, path, { id: 'b' }).campaign();
      await eventually('both stand', async () => (await childrenOf(a, path)).length === 2);
      await first.release();
      await using lease = await second;
      expect(lease.token).toBeGreaterThan(first.token);
      const names = await childrenOf(a, path);
      expect(names).toEqual([expect.stringMatching(/^_c_[0-9a-f-]{36}-latch-\d{10}$/)]);
      expect((await a.get(`${path}/${names[0]}`)).data.toString()).toBe('b');
    });

    test('lead: a term for each time we are elected, each with a lease of its own, until aborted', async () => {
      await using zk = await connect();
      const path = freshPath('election');
      const stop = new AbortController();
      const leases: Lease[] = [];
      let terms = 0;
      await new Election(zk, path).lead(
        async (lease) => {
          terms += 1;
          expect(terms, 'terms at once').toBe(1);
          leases.push(lease);
          await zk.sync(path);
          if (leases.length === 3) stop.abort();
          terms -= 1;
        },
        { signal: stop.signal },
      );
      expect(leases).toHaveLength(3);
      expect(leases[1]?.token).toBeGreaterThan(leases[0]?.token ?? 0n);
      expect(leases.every((lease) => lease.signal.aborted)).toBe(true);
      expect(await childrenOf(zk, path)).toEqual([]);
    });

    test('lead: an abort ends the lease at once, and lets go after the work has ended', async () => {
      await using zk = await connect();
      const path = freshPath('election');
      const stop = new AbortController();
      const work = gate();
      const began = gate();
      const leases: Lease[] = [];
      const leading = new Election(zk, path).lead(
        async (its) => {
          leases.push(its);
          began.open();
          await work.opened;
        },
        { signal: stop.signal },
      );
      await began.opened;
      stop.abort();
      expect(leases.map(({ signal }) => [signal.aborted, signal.reason.reason])).toEqual([[true, 'released']]);
      expect(await childrenOf(zk, path)).toHaveLength(1);
      work.open();
      await leading;
      expect(await childrenOf(zk, path)).toEqual([]);
    });

    test('lead: what the term throws is thrown where that was asked for, after letting go', async () => {
      await using zk = await connect();
      const path = freshPath('election');
      const term = (): never => {
        throw new Error('of the term');
      };
      const leading = new Election(zk, path).lead(term, { onFailure: 'stop' });
      await expect(leading).rejects.toThrow('of the term');
      expect(await childrenOf(zk, path)).toEqual([]);
    });

    test('lead: a term that stops because its lease ended has not failed', async () => {
      await using zk = await connect();
      const path = freshPath('election');
      const stop = new AbortController();
      await new Election(zk, path).lead(
        (lease) => {
          stop.abort();
          lease.signal.throwIfAborted();
        },
        { signal: stop.signal },
      );
    });

    test('lead: aborted while it waits, it resolves and leaves nothing', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('election');
      await using _ = await new Election(a, path, { id: 'a' }).campaign();
      const stop = new AbortController();
      const leading = new Election(b, path, { id: 'b' }).lead(() => expect.unreachable(), { signal: stop.signal });
      await eventually('both stand', async () => (await childrenOf(a, path)).length === 2);
      stop.abort();
      await leading;
      await eventually('one left', async () => (await childrenOf(a, path)).length === 1);
    });

    test('lead: rejects when the session is over', async () => {
      const zk = await connect();
      const began = gate();
      const leading = codeOf(
        new Election(zk, freshPath('election')).lead(async ({ signal }) => {
          began.open();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        }),
      );
      await began.opened;
      await zk.close();
      expect(await leading).toBe('session-closed');
    });

    test('a second campaign under one id is refused, until the first is over', async () => {
      await using zk = await connect();
      const path = freshPath('election');
      const election = new Election(zk, path, { id: 'a' });
      const lease = await election.campaign();
      const error = await errorOf(new Election(zk, path, { id: 'a' }).campaign());
      expect(error).toMatchObject({ code: 'already-campaigning' });
      expect(error.message).toContain(`${path}: a is already campaigning or leading`);
      expect(await codeOf(election.lead(() => undefined))).toBe('already-campaigning');
      expect(await childrenOf(zk, path)).toHaveLength(1);
      await lease.release();
      await (await election.campaign()).release();
    });

    test('observe: who leads now and at each change, and that nobody does', async () => {
      await using a = await connect();
      await using b = await connect();
      await using watcher = await connect();
      const path = freshPath('election');
      const leaders = new Election(watcher, path).observe();
      const next = async (): Promise<Candidate | undefined> => (await leaders.next()).value;
      expect(await next()).toBeUndefined();
      const first = await new Election(a, path, { id: 'a', data: 'at a' }).campaign();
      expect(await next()).toEqual({ id: 'a', token: first.token, data: Buffer.from('at a') });
      const second = new Election(b, path, { id: 'b' }).campaign();
      await eventually('both stand', async () => (await childrenOf(a, path)).length === 2);
      await first.release();
      await using lease = await second;
      expect(await next()).toEqual({ id: 'b', token: lease.token, data: Buffer.alloc(0) });
      await lease.release();
      expect(await next()).toBeUndefined();
      await leaders.return?.();
      expect((await leaders.next()).done).toBe(true);
    });

    test('observe: ends with the signal, and when the session is closed', async () => {
      const zk = await connect();
      const stop = new AbortController();
      const path = freshPath('election');
      const aborted = new Election(zk, path).observe({ signal: stop.signal });
      const closed = new Election(zk, path).observe();
      await aborted.next();
      await closed.next();
      const [one, two] = [aborted.next(), closed.next()];
      stop.abort(new Error('enough'));
      await expect(one).rejects.toThrow('enough');
      await zk.close();
      expect((await two).done).toBe(true);
    });

    test('candidates: the leader first, then the others in the order they came', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('election');
      const election = new Election(a, path, { id: 'a', data: 'one\ntwo' });
      expect(await election.candidates()).toEqual([]);
      await using lease = await election.campaign();
      const stop = new AbortController();
      const waiting = new Election(b, path, { id: 'b' }).campaign({ signal: stop.signal }).catch(() => undefined);
      const candidates = await eventually('both stand', async () => {
        const found = await election.candidates();
        return found.length === 2 ? found : undefined;
      });
      expect(candidates[0]).toEqual({ id: 'a', token: lease.token, data: Buffer.from('one\ntwo') });
      expect(candidates[1]).toMatchObject({ id: 'b' });
      stop.abort();
      await waiting;
    });

    test('a leader that is deposed by hand hears of it', async () => {
      await using a = await connect();
      await using b = await connect();
      const path = freshPath('election');
      await using lease = await new Election(a, path).campaign();
      const [name] = await childrenOf(b, path);
      await b.delete(`${path}/${name}`);
      await eventually('the end of the lease', () => lease.signal.aborted);
      expect((lease.signal.reason as LeaseEndedError).reason).toBe('lost');
    });

    test('bad options are refused by name, before anything is touched', async () => {
      await using zk = await connect();
      const path = freshPath('election');
      const bad = [
        [() => new Election(zk, ''), 'path'],
        [() => new Election(zk, path, { id: 'x'.repeat(257) }), 'id'],
        [() => new Election(zk, path, { data: 7 as never }), 'data'],
        [() => new Election(zk, path, { data: Buffer.alloc(65_537) }), 'data'],
        [() => new Election(zk, path, { onSuspended: '' as never }), 'onSuspended'],
        [() => new Election(zk, path).observe({ signal: 1 as never }), 'signal'],
      ] as const;
      for (const [make, argument] of bad) expect(make).toThrow(expect.objectContaining({ argument }));
      const election = new Election(zk, path);
      await expect(election.campaign({ timeout: Number.NaN })).rejects.toMatchObject({ argument: 'timeout' });
      await expect(election.lead('x' as never)).rejects.toMatchObject({ argument: 'term' });
      expect(await zk.exists(path)).toBeUndefined();
    });
  });
}
