import { describe, expect, test } from 'vitest';
import { Group, type Member } from '../../src/index.ts';
import { type Connect, codeOf } from './store.ts';

/** What a group does on any store. The sessions of one test see one tree, which is empty at first. */
export function groupConformance(connect: Connect): void {
  describe('a group', () => {
    const idsOf = (members: readonly Member[]): string[] => members.map(({ id }) => id);

    /** The first list of members that is as wanted. */
    async function seen(lists: AsyncIterable<Member[]>, wanted: (members: Member[]) => boolean): Promise<Member[]> {
      for await (const members of lists) if (wanted(members)) return members;
      throw new Error('the stream has ended');
    }

    test('whoever joins is a member, with id, data, session and token, until it leaves', async () => {
      await using a = await connect();
      await using b = await connect();
      const group = new Group(a, '/g');
      expect(await group.members()).toEqual([]);
      const one = await group.join({ id: 'one', data: 'x' });
      const two = await new Group(b, '/g').join({ id: 'two' });
      const members = await new Group(b, '/g').members();
      expect(members).toEqual([
        { id: 'one', data: Buffer.from('x'), session: a.id, since: expect.any(Date), token: one.token },
        { id: 'two', data: Buffer.alloc(0), session: b.id, since: expect.any(Date), token: two.token },
      ]);
      expect(two.token).toBeGreaterThan(one.token);
      expect(one.path).toBe('/g/one');
      await one.leave();
      expect(one.signal.reason).toMatchObject({ code: 'lease-released' });
      expect(idsOf(await group.members())).toEqual(['two']);
      await one.leave();
      await two[Symbol.asyncDispose]();
      expect(await group.members()).toEqual([]);
    });

    test('the end of a session ends its memberships, for it and for others', async () => {
      const a = await connect();
      await using b = await connect();
      const membership = await new Group(a, '/g').join({ id: 'one' });
      const group = new Group(b, '/g');
      expect(idsOf(await group.members())).toEqual(['one']);
      await a.close();
      expect(membership.signal.reason).toMatchObject({ code: 'lease-lost', cause: { code: 'session-closed' } });
      expect(await group.members()).toEqual([]);
      await membership.leave();
      expect(await codeOf(membership.update('x'))).toBe('lease-lost');
    });

    test('a member that somebody deletes is told', async () => {
      await using zk = await connect();
      await using other = await connect();
      const membership = await new Group(zk, '/g').join({ id: 'one' });
      const lost = new Promise((resolve) => membership.signal.addEventListener('abort', resolve));
      await membership.update('x');
      await other.delete('/g/one');
      await lost;
      expect(membership.signal.reason).toMatchObject({ code: 'lease-lost' });
      expect(await codeOf(membership.update('y'))).toBe('lease-lost');
      const again = await new Group(zk, '/g').join({ id: 'one' });
      await membership.leave();
      expect(idsOf(await new Group(zk, '/g').members())).toEqual(['one']);
      await again.leave();
    });

    test('a member replaces its data, also when others have meddled with it', async () => {
      await using zk = await connect();
      const group = new Group(zk, '/g');
      await using membership = await group.join({ id: 'one', data: '1' });
      await Promise.all([membership.update('2'), membership.update('3')]);
      await zk.set('/g/one', 'meddled');
      await membership.update('4');
      expect((await group.members())[0]).toMatchObject({ data: Buffer.from('4'), token: membership.token });
      await zk.set('/g/one', 'meddled');
      await membership.leave();
      expect(await group.members()).toEqual([]);
    });

    test('two joins of one id in one session: the second is refused, and the first stays', async () => {
      await using zk = await connect();
      const group = new Group(zk, '/g');
      const joins = await Promise.allSettled([group.join({ id: 'one' }), new Group(zk, '/g').join({ id: 'one' })]);
      expect(joins.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      expect(joins[1]).toMatchObject({ reason: { code: 'already-joined' } });
      await zk.create('/g/made', '', { mode: 'ephemeral' });
      expect(await codeOf(group.join({ id: 'made' }))).toBe('already-joined');
      expect(idsOf(await group.members())).toEqual(['one', 'made']);
    });

    test('an id can be joined again as soon as leaving has begun', async () => {
      await using zk = await connect();
      const group = new Group(zk, '/g');
      const first = await group.join({ id: 'one' });
      const [, second] = await Promise.all([first.leave(), group.join({ id: 'one' })]);
      expect(second.token).toBeGreaterThan(first.token);
      expect(idsOf(await group.members())).toEqual(['one']);
    });

    test('joining waits until the former session of the id is over', async () => {
      const former = await connect();
      await using zk = await connect();
      const before = await new Group(former, '/g').join({ id: 'one' });
      const joining = new Group(zk, '/g').join({ id: 'one' });
      // It goes on waiting when something else happens to the node.
      await before.update('x');
      expect((await zk.get('/g/one')).stat.ephemeralOwner).toBe(former.id);
      await former.close();
      const membership = await joining;
      expect(membership.token).toBeGreaterThan(before.token);
      expect((await zk.get('/g/one')).stat.ephemeralOwner).toBe(zk.id);
    });

    test('a wait to join ends in time, or when it is aborted, and leaves nothing behind', async () => {
      await using former = await connect();
      await using zk = await connect();
      await using _ = await new Group(former, '/g').join({ id: 'one' });
      const group = new Group(zk, '/g');
      expect(await codeOf(group.join({ id: 'one' }, { timeout: 50 }))).toBe('deadline-exceeded');
      const reason = new Error('enough');
      const controller = new AbortController();
      const joining = group.join({ id: 'one' }, { signal: controller.signal, timeout: 60_000 });
      const rejected = expect(joining).rejects.toBe(reason);
      // It is waiting by then: its requests are ahead of this one.
      await zk.sync('/');
      controller.abort(reason);
      await rejected;
      await expect(group.join({ id: 'two' }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(idsOf(await group.members())).toEqual(['one']);
      expect(await zk.ephemerals()).toEqual([]);
    });

    test('joins that are aborted at any moment leave no node, and the id is free', async () => {
      await using zk = await connect();
      const group = new Group(zk, '/g');
      for (let turns = 0; turns < 40; turns += 1) {
        const controller = new AbortController();
        const joining = group.join({ id: 'one' }, { signal: controller.signal });
        const outcome = joining.then(
          (membership) => membership.leave(),
          () => undefined,
        );
        for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
        controller.abort();
        await outcome;
      }
      await using membership = await group.join({ id: 'one' });
      expect(await zk.ephemerals()).toEqual([membership.path]);
    });

    test('a path or an id at which something else is kept is refused', async () => {
      await using zk = await connect();
      await zk.create('/data', '42');
      await zk.create('/session', '', { mode: 'ephemeral' });
      await zk.create('/g');
      await zk.create('/g/kept');
      expect(await codeOf(new Group(zk, '/data').join({ id: 'one' }))).toBe('wrong-kind');
      expect(await codeOf(new Group(zk, '/data').members())).toBe('wrong-kind');
      expect(await codeOf(new Group(zk, '/data').watch().next())).toBe('wrong-kind');
      expect(await codeOf(new Group(zk, '/session').join({ id: 'one' }))).toBe('wrong-kind');
      expect(await codeOf(new Group(zk, '/g').join({ id: 'kept' }))).toBe('wrong-kind');
      expect(await new Group(zk, '/g').members()).toEqual([]);
    });

    test('bad input is refused before anything is touched', async () => {
      await using zk = await connect();
      expect(await codeOf(() => new Group(zk, 'g'))).toBe('invalid-argument');
      const group = new Group(zk, '/g');
      for (const id of ['', 'a/b', '..', 'a\u0000', 7]) {
        expect(await codeOf(group.join({ id: id as string }))).toBe('invalid-argument');
      }
      expect(await codeOf(group.join({ id: 'one', data: 7 as never }))).toBe('invalid-argument');
      expect(await codeOf(group.join({ id: 'one' }, { timeout: -1 }))).toBe('invalid-argument');
      expect(await codeOf(group.join({ id: 'one' }, { onSuspended: 'panic' as never }))).toBe('invalid-argument');
      expect((await zk.children('/')).names).toEqual([]);
      await using _ = await group.join({ id: 'one' });
    });

    test('a watcher sees who is there, who comes, who changes and who goes', async () => {
      await using zk = await connect();
      await using other = await connect();
      const lists = new Group(zk, '/g').watch();
      expect((await lists.next()).value).toEqual([]);
      const group = new Group(other, '/g');
      const one = await group.join({ id: 'one' });
      await lists.next();
      const two = await group.join({ id: 'two', data: 'x' });
      expect((await lists.next()).value).toMatchObject([{ id: 'one' }, { id: 'two', data: Buffer.from('x') }]);
      await two.update('y');
      expect((await lists.next()).value).toMatchObject([{ id: 'one' }, { id: 'two', data: Buffer.from('y') }]);
      await one.leave();
      expect((await lists.next()).value).toMatchObject([{ id: 'two' }]);
      const again = await group.join({ id: 'one' });
      expect((await lists.next()).value).toMatchObject([{ id: 'two' }, { id: 'one', token: again.token }]);
      await lists.return?.();
    });

    test('of a burst of joins a watcher sees the outcome, not every step', async () => {
      await using zk = await connect();
      await using other = await connect();
      const lists = new Group(zk, '/g').watch();
      await lists.next();
      const group = new Group(other, '/g');
      const ids = Array.from({ length: 300 }, (_, i) => `member-${i}`);
      const memberships = await Promise.all(ids.map((id) => group.join({ id })));
      expect(await lists.next()).toMatchObject({ done: false });
      let count = 0;
      const all = await seen(lists, (members) => {
        count += 1;
        return members.length === 300;
      });
      expect(count).toBeLessThan(100);
      expect(idsOf(all).sort()).toEqual(ids.sort());
      const tokens = all.map(({ token }) => token);
      expect(tokens).toEqual(tokens.toSorted((a, b) => (a < b ? -1 : 1)));
      await Promise.all(memberships.map((membership) => membership.leave()));
      expect(await group.members()).toEqual([]);
    });

    test('watching ends with the reason of an aborted signal, and quietly when the session is closed', async () => {
      const zk = await connect();
      const group = new Group(zk, '/g');
      const reason = new Error('enough');
      const controller = new AbortController();
      const aborted = group.watch({ signal: controller.signal });
      await aborted.next();
      const waiting = aborted.next();
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      const closed = group.watch();
      await closed.next();
      const last = closed.next();
      await zk.close();
      expect(await last).toEqual({ done: true, value: undefined });
      expect(await codeOf(group.watch().next())).toBe('session-closed');
      expect(await codeOf(group.members())).toBe('session-closed');
      expect(await codeOf(group.join({ id: 'one' }))).toBe('session-closed');
    });
  });
}
