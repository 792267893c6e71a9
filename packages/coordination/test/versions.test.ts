import { readFile } from 'node:fs/promises';
import { type BedOf, Testbed } from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Counter, Election, Group, Lock, Mirror, Queue, Settings } from '../src/index.ts';
import { barrierConformance } from './conformance/barrier.ts';
import { counterConformance } from './conformance/counter.ts';
import { doubleBarrierConformance } from './conformance/double-barrier.ts';
import { electionConformance } from './conformance/election.ts';
import { groupConformance } from './conformance/group.ts';
import { limits } from './conformance/limits-schema.ts';
import { lockConformance } from './conformance/lock.ts';
import { mirrorConformance } from './conformance/mirror.ts';
import { multiLockConformance } from './conformance/multi-lock.ts';
import { queueConformance } from './conformance/queue.ts';
import { readWriteLockConformance } from './conformance/read-write-lock.ts';
import { semaphoreConformance } from './conformance/semaphore.ts';
import { settingsConformance } from './conformance/settings.ts';
import { type Connect, codeOf, errorOf, freshPath } from './conformance/store.ts';

// The oldest and the newest that we say we work with. The oldest does what needs no watch that stays; on the newest that is
// what is looked at. All other tests run on a version near to the newest.
describe.each(['3.5.10', '3.9.5'] as const)('on ZooKeeper %s', (version) => {
  let bed: BedOf<{ zookeeper: { version: '3.5.10' | '3.9.5' } }>;
  beforeAll(async () => {
    bed = await Testbed.start({ zookeeper: { version } });
    // Room to fetch it, the first time.
  }, 120_000);
  afterAll(() => bed?.stop());

  /** A session below a root that the sessions of one test share. */
  const open: Connect = async () => {
    const root = `/${expect.getState().currentTestName?.replaceAll(/\W+/g, '-')}`;
    const zk = await connect(`${bed.zookeeper.url}${root}`);
    await zk.create('/', '', { parents: true }).catch(() => undefined);
    return zk;
  };
  if (version === '3.5.10') {
    lockConformance(open);
    readWriteLockConformance(open);
    semaphoreConformance(open);
    multiLockConformance(open);
    barrierConformance(open);
    doubleBarrierConformance(open);
    counterConformance(open);
    queueConformance(open);
    refusesWhatStays(open, () => bed.zookeeper.url);
  } else {
    settingsConformance(open);
    groupConformance(open);
    mirrorConformance(open);
  }
  electionConformance(open);
  outlivesQuestions(open);

  test('in all this it was asked for nothing that it does not know', async () => {
    expect(await readFile(bed.zookeeper.member(1).logFile, 'utf8')).not.toContain('unknown type');
  });
});

function outlivesQuestions(open: Connect): void {
  test('a lease lives on through questions about holders, candidates and members', async () => {
    await using zk = await open();
    await using other = await open();
    const states: string[] = [];
    zk.on('state', (state) => states.push(state));
    const path = freshPath('held');
    const lock = new Lock(zk, `${path}/lock`, { revocable: true });
    await using lease = await lock.acquire();
    await using term = await new Election(zk, `${path}/leader`, { id: 'one' }).campaign();
    await using one = await new Group(zk, `${path}/cabs`).join({ id: 'cab-1', data: 'a' });
    await using _ = await new Group(other, `${path}/cabs`).join({ id: 'cab-2', data: 'b' });
    expect(await lock.holders()).toMatchObject([{ token: lease.token, holds: true }]);
    expect(await new Election(zk, `${path}/leader`).candidates()).toMatchObject([{ id: 'one', token: term.token }]);
    expect((await new Group(zk, `${path}/cabs`).members()).map(({ id }) => id)).toEqual(['cab-1', 'cab-2']);
    const queue = new Queue<string>(zk, `${path}/queue`);
    await queue.putMany(['a', 'b']);
    expect((await queue.take()).data).toBe('a');
    expect(await new Counter(zk, `${path}/count`).add(2n)).toBe(2n);
    const settings = new Settings(zk, `${path}/limits`, limits);
    const { value } = await settings.set({ max: 3, names: [] });
    expect(await settings.get()).toMatchObject({ value });
    for (const { signal } of [lease, term, one]) expect(signal.aborted).toBe(false);
    expect(states).toEqual([]);
    expect(await new Lock(other, `${path}/lock`).revoke()).toBe(1);
    await expect.poll(() => lease.signal.aborted).toBe(true);
    expect(lease.signal.reason).toMatchObject({ reason: 'revoked' });
  });
}

function refusesWhatStays(open: Connect, url: () => string): void {
  test('what needs a watch that stays says which version it takes, and ends nothing', async () => {
    await using zk = await open();
    const path = freshPath('watched');
    await zk.create(path);
    await using lease = await new Lock(zk, `${path}-lock`).acquire();
    const mirror = new Mirror(zk, path);
    const calls = [
      mirror.ready,
      new Group(zk, path).watch().next(),
      new Settings(zk, `${path}/limits`, limits).watch().next(),
    ];
    for (const call of calls) {
      const error = await errorOf(call);
      expect(await codeOf(Promise.reject(error))).toBe('unsupported');
      expect(error.message).toContain(`it takes ZooKeeper 3.6, and ${url()} is 3.5.10`);
    }
    expect(mirror.state).toBe('ended');
    expect(lease.signal.aborted).toBe(false);
  });
}
