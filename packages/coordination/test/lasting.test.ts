import { type BedOf, eventually, Testbed } from '@quorate/testbed';
import { connect, Sessions, type ZooKeeper } from '@quorate/zookeeper';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Election, Group, type Lease, Settings } from '../src/index.ts';
import { limits } from './conformance/limits-schema.ts';
import { freshPath } from './conformance/store.ts';

let bed: BedOf<{ zookeeper: { members: 1; config: { tickTime: number } } }>;
const sessionTimeout = 1_000;

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 100 } } });
});
afterAll(() => bed?.stop());

let links = 0;

async function sessionsOnLink() {
  links += 1;
  const link = bed.link(`lasting-${links}`, 'zookeeper-1');
  const sessions = new Sessions(await link.address, { sessionTimeout });
  const lose = async (zk: ZooKeeper): Promise<void> => {
    await link.set({ refuse: true });
    await eventually('the session is over', () => zk.lost.aborted);
    await link.heal();
  };
  return { sessions, link, lose };
}

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

test.concurrent('a leader leads again in the next session, and never gives up', async () => {
  const { sessions, lose } = await sessionsOnLink();
  await using _ = sessions;
  const path = freshPath('lasting');
  const stop = new AbortController();
  const leases: Lease[] = [];
  const leading = new Election(sessions, path, { id: 'one' }).lead(
    async (lease) => {
      leases.push(lease);
      await ended(lease.signal);
      // As work does that was on its way when its session was lost.
      throw new Error('the write did not get through');
    },
    { signal: stop.signal },
  );
  for (let round = 1; round <= 3; round += 1) {
    await eventually('it leads', () => leases.length === round);
    await lose(await sessions.session());
    expect(leases[round - 1]?.signal.aborted).toBe(true);
  }
  await eventually('it leads again', () => leases.length === 4);
  const tokens = leases.map(({ token }) => token);
  expect(tokens).toEqual(tokens.toSorted((a, b) => (a < b ? -1 : 1)));
  stop.abort();
  await expect(leading).rejects.toThrow('the write did not get through');
});

test.concurrent.each(['one session', 'sessions'] as const)(
  'a term that fails is followed by another, over %s',
  async (over) => {
    const path = freshPath('failing');
    await using sessions = new Sessions(bed.zookeeper.url, { sessionTimeout });
    await using zk = await connect(bed.zookeeper.url);
    const election = new Election(over === 'sessions' ? sessions : zk, path, { id: 'one' });
    let terms = 0;
    const stop = new AbortController();
    const leading = election.lead(
      () => {
        terms += 1;
        if (terms < 4) throw new Error('not yet');
        stop.abort();
      },
      { signal: stop.signal },
    );
    await leading;
    expect(terms).toBe(4);
    const failing = (): never => {
      throw new Error('never');
    };
    await expect(election.lead(failing, { onFailure: 'stop' })).rejects.toThrow('never');
    const asked: number[] = [];
    const onFailure = (_: unknown, attempt: number): 'retry' | 'stop' => (asked.push(attempt) < 3 ? 'retry' : 'stop');
    await expect(election.lead(failing, { onFailure })).rejects.toThrow('never');
    expect(asked).toEqual([1, 2, 3]);
    // In a row: a term that does not fail begins another one.
    terms = 0;
    const nowAndThen = (): void => {
      terms += 1;
      if (terms !== 2) throw new Error('now and then');
    };
    const rows: number[] = [];
    const twice = (_: unknown, attempt: number): 'retry' | 'stop' => (rows.push(attempt) < 2 ? 'retry' : 'stop');
    await expect(election.lead(nowAndThen, { onFailure: twice })).rejects.toThrow('now and then');
    expect([terms, rows]).toEqual([3, [1, 1]]);
    await expect(election.lead(failing, { onFailure: 'x' as never })).rejects.toThrow('onFailure: expected');
    expect(await election.candidates()).toEqual([]);
  },
);

test.concurrent('terms that are over at once do not keep the servers busy', async () => {
  await using zk = await connect(bed.zookeeper.url);
  const stop = new AbortController();
  let terms = 0;
  const begin = performance.now();
  const term = (): void => {
    terms += 1;
  };
  const leading = new Election(zk, freshPath('short')).lead(term, { signal: stop.signal });
  await eventually('a second has passed', () => performance.now() - begin > 1_000);
  stop.abort();
  await leading;
  expect(terms).toBeGreaterThan(1);
  expect(terms).toBeLessThan(12);
});

test.concurrent('a member comes back by itself in the next session, with its latest data, and when its node is deleted', async () => {
  const { sessions, lose } = await sessionsOnLink();
  await using _ = sessions;
  await using zk = await connect(bed.zookeeper.url);
  const group = new Group(zk, freshPath('members'));
  const shown = async (): Promise<string[]> => (await group.members()).map(({ data }) => data.toString());
  const membership = await new Group(sessions, group.path).join({ id: 'one', data: 'first' });
  expect(await shown()).toEqual(['first']);
  await membership.update('second');
  const tokens = [membership.token];
  await lose(await sessions.session());
  await eventually('it is there again', async () => membership.token > (tokens.at(-1) ?? 0n));
  expect(await shown()).toEqual(['second']);
  tokens.push(membership.token);
  await zk.delete(membership.path);
  await eventually('and again', async () => membership.token > (tokens.at(-1) ?? 0n));
  await membership.update('third');
  expect(await shown()).toEqual(['third']);
  expect(membership.signal.aborted).toBe(false);
  await membership.leave();
  expect(membership.signal.aborted).toBe(true);
  expect(await group.members()).toEqual([]);
  await expect(membership.update('late')).rejects.toMatchObject({ code: 'lease-released' });
});

test.concurrent('who cannot join is told so, and leaves nothing', async () => {
  await using sessions = new Sessions(bed.zookeeper.url, { sessionTimeout });
  await using zk = await connect(bed.zookeeper.url);
  const path = freshPath('taken');
  await using _ = await new Group(zk, path).join({ id: 'one' });
  const group = new Group(sessions, path);
  await expect(group.join({ id: 'one' }, { timeout: 200 })).rejects.toMatchObject({ code: 'deadline-exceeded' });
  const controller = new AbortController();
  const joining = group.join({ id: 'one' }, { signal: controller.signal });
  await sessions.session();
  controller.abort(new Error('enough'));
  await expect(joining).rejects.toThrow('enough');
  await using __ = await group.join({ id: 'two' });
  await expect(group.join({ id: 'two' })).rejects.toMatchObject({ code: 'already-joined' });
  expect((await group.members()).map(({ id }) => id)).toEqual(['one', 'two']);
});

test.concurrent('a membership ends with its sessions', async () => {
  const sessions = new Sessions(bed.zookeeper.url, { sessionTimeout });
  await using zk = await connect(bed.zookeeper.url);
  const path = freshPath('stopped');
  const membership = await new Group(sessions, path).join({ id: 'one' });
  await sessions.stop();
  expect(membership.signal.aborted).toBe(true);
  expect(await new Group(zk, path).members()).toEqual([]);
});

test.concurrent('settings and the members of a group are followed across sessions, and nothing is told twice', async () => {
  const { sessions, lose } = await sessionsOnLink();
  await using _ = sessions;
  await using zk = await connect(bed.zookeeper.url);
  const [settingsPath, groupPath] = [freshPath('settings'), freshPath('watched')];
  const settings = new Settings(zk, settingsPath, limits);
  await settings.set({ max: 1, names: [] });
  const stop = new AbortController();
  const values: (number | undefined)[] = [];
  const members: string[][] = [];
  const follow = async <T>(stream: AsyncIterable<T>, tell: (value: T) => void): Promise<unknown> => {
    try {
      for await (const value of stream) tell(value);
      return 'over';
    } catch (error) {
      return error;
    }
  };
  const { signal } = stop;
  const following = Promise.all([
    follow(new Settings(sessions, settingsPath, limits).watch({ signal }), ({ value }) => values.push(value?.max)),
    follow(new Group(sessions, groupPath).watch({ signal }), (all) => members.push(all.map(({ id }) => id))),
  ]);
  await eventually('both are seen', () => values.length === 1 && members.length === 1);
  await lose(await sessions.session());
  await settings.set({ max: 2, names: [] });
  await using __ = await new Group(zk, groupPath).join({ id: 'one' });
  await eventually('what has changed meanwhile', () => values.at(-1) === 2 && members.at(-1)?.[0] === 'one');
  expect(values).toEqual([1, 2]);
  stop.abort();
  expect(await following).toEqual([signal.reason, signal.reason]);
});

// These count what all on the server do, or all in this process: nothing else goes on meanwhile.

test('observers see who leads across their own sessions, each leader once', async () => {
  const { sessions, lose } = await sessionsOnLink();
  await using _ = sessions;
  await using zk = await connect(bed.zookeeper.url);
  const path = freshPath('observed');
  const lease = await new Election(zk, path, { id: 'one' }).campaign();
  const seen: (string | undefined)[] = [];
  const stop = new AbortController();
  const observing = (async () => {
    for await (const leader of new Election(sessions, path).observe({ signal: stop.signal })) seen.push(leader?.id);
  })().catch((error) => error);
  const watches = (): Promise<number> => bed.zookeeper.figure('zk_watch_count');
  await eventually('it is seen', () => seen.at(-1) === 'one');
  const before = await watches();
  await lose(await sessions.session());
  await sessions.session();
  await eventually('it is looked at again, in the next session', async () => (await watches()) === before);
  await lease.release();
  await eventually('it is seen gone', () => seen.at(-1) === undefined);
  expect(seen.filter((id) => id === 'one')).toHaveLength(1);
  stop.abort();
  expect(await observing).toBe(stop.signal.reason);
});

test('an ensemble that was away for longer than any session lasts has its leader soon after its return', async () => {
  await using away = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 500 } } });
  const server = away.server('zookeeper-1');
  await using sessions = new Sessions(away.zookeeper.url, { sessionTimeout: 4_000 });
  const stop = new AbortController();
  const leases: Lease[] = [];
  const term = async (lease: Lease): Promise<void> => {
    leases.push(lease);
    await ended(lease.signal);
  };
  const leading = new Election(sessions, '/leader', { id: 'one' }).lead(term, { signal: stop.signal });
  await eventually('it leads', () => leases.length === 1);
  const zk = await sessions.session();
  await server.kill();
  // Its session, and the node of its term with it, are on the disk: for the servers both live on.
  await eventually('the session is over', () => zk.lost.aborted);
  // Longer than the longest pause between two attempts, several times over.
  const [begun, used] = [performance.now(), process.cpuUsage()];
  await eventually('three more seconds', () => performance.now() - begun > 3_000, { every: 500 });
  const { user, system } = process.cpuUsage(used);
  // Attempts without a pause would take all of it; other things of this process, on a slow machine, take some.
  expect((user + system) / 1_000).toBeLessThan(1_000);
  await server.start();
  const back = performance.now();
  await eventually('it leads again', () => leases.length === 2);
  // A second between two attempts, and what a busy machine takes; who waited for the old session to end there took four.
  expect(performance.now() - back).toBeLessThan(3_500);
  stop.abort();
  await leading;
});
