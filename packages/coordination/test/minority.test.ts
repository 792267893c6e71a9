import { deadline } from '@quorate/core';
import { type BedOf, eventually, type Server, Testbed } from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Group, type Lease, type LeaseEndedError, Lock } from '../src/index.ts';
import { adapted } from './adapted.ts';
import { codeOf, freshPath } from './conformance/store.ts';

// A member that is cut off from its leader goes on answering reads and pings, for `syncLimit` ticks: 5 seconds here, as long as
// two sessions and a half. Whoever is connected to it hears nothing of the partition.
let bed: BedOf<{ zookeeper: { members: 3; config: { tickTime: number; syncLimit: number } } }>;
let others: Server[];
let follower: Server;

beforeAll(async () => {
  // Short ticks: a server counts sessions in them.
  bed = await Testbed.start({ zookeeper: { members: 3, config: { tickTime: 200, syncLimit: 25 } } });
  const leader = await eventually('a leader', () => bed.zookeeper.leader());
  follower = bed.zookeeper.members.find((member) => member !== leader) as Server;
  others = bed.zookeeper.members.filter((member) => member !== follower);
});
afterAll(() => bed?.stop());

const sessionTimeout = 2_000;

/** How many tests are cut off at the same time. */
const together = 4;
let [came, went] = [0, 0];
const parting = Promise.withResolvers<void>();
const healing = Promise.withResolvers<void>();

/**
 * Cuts the follower off when all the tests that go on side by side have come here, and heals when all of them have asked for
 * it, or have ended.
 */
async function apart(): Promise<AsyncDisposable & { heal(): Promise<void> }> {
  came += 1;
  if (came === together)
    bed
      .partition(
        [follower.name],
        others.map(({ name }) => name),
      )
      .then(() => parting.resolve(), parting.reject);
  using limit = deadline(20_000);
  limit.signal.addEventListener('abort', () => parting.reject(new Error(`${came} of ${together} tests have come`)), {
    once: true,
  });
  await parting.promise;
  let asked = false;
  const heal = async (): Promise<void> => {
    if (!asked) {
      asked = true;
      went += 1;
      if (went === together) bed.heal().then(() => healing.resolve(), healing.reject);
    }
    await healing.promise;
  };
  return { heal, [Symbol.asyncDispose]: heal };
}

describe.concurrent('a follower that is cut off from its leader', () => {
  test.each([
    ['stop', 'our own client', connect],
    ['wait', 'our own client', connect],
    ['wait', 'node-zookeeper-client', adapted],
  ] as const)(
    'fact 14: a holder whose member is cut off from the leader stops before the next one begins (%s, %s)',
    async (onSuspended, _, begin) => {
      await using mine = await begin(follower.address, { sessionTimeout });
      await using other = await connect(others.map(({ address }) => address).join(','), { sessionTimeout });
      const [path, file] = [freshPath('minority'), freshPath('file')];
      await other.create(file, 'old');
      const lease = await new Lock(mine, path, { onSuspended }).acquire();
      let ended = Number.POSITIVE_INFINITY;
      lease.signal.addEventListener('abort', () => {
        ended = performance.now();
      });
      await using parted = await apart();
      const next = await new Lock(other, path).acquire();
      const began = performance.now();
      expect(lease.signal.aborted, 'two holders at once').toBe(true);
      expect(ended).toBeLessThan(began);
      expect((lease.signal.reason as LeaseEndedError).reason).toBe('suspended');

      // What it reads, also now, is the past; what it writes under guard is not taken.
      expect(await codeOf((async () => lease.guard(mine.transaction()).set(file, 'late').commit())())).toBe(
        'lease-suspended',
      );
      await next.guard(other.transaction()).set(file, 'new').commit();
      await parted.heal();
      await lease.release();
      await next.release();
      expect((await other.get(file)).data.toString()).toBe('new');
    },
  );

  test('a member of a group whose server is cut off from the leader knows it before others see it gone', async () => {
    await using mine = await connect(follower.address, { sessionTimeout });
    await using other = await connect(others.map(({ address }) => address).join(','), { sessionTimeout });
    const path = freshPath('group');
    const membership = await new Group(mine, path).join({ id: 'mine' });
    let ended = Number.POSITIVE_INFINITY;
    membership.signal.addEventListener('abort', () => {
      ended = performance.now();
    });
    const gone = new Promise<number>((resolve, reject) => {
      const watch = ({ type }: { readonly type: string }): void => {
        if (type === 'deleted') resolve(performance.now());
        else reject(new Error(`others were told "${type}", and not that it is deleted`));
      };
      void other.exists(membership.path, { watch });
    });
    await using _ = await apart();
    expect(await gone).toBeGreaterThan(ended);
    expect((membership.signal.reason as LeaseEndedError).reason).toBe('suspended');
  });
});

describe('one that is cut off again and again', () => {
  afterEach(() => bed.heal());

  test.each([
    ['our own client', connect],
    ['node-zookeeper-client', adapted],
  ] as const)(
    'what is read behind a sync is what all were told, also from a member that was cut off (%s)',
    async (_, begin) => {
      await using mine = await begin(follower.address, { sessionTimeout: 20_000 });
      await using witness = await connect(follower.address, { sessionTimeout: 20_000 });
      await using other = await connect(others.map(({ address }) => address).join(','), { sessionTimeout });
      const path = freshPath('behind');
      await other.create(path, 'old');
      await witness.sync(path);
      await bed.partition(
        [follower.name],
        others.map(({ name }) => name),
      );
      await other.set(path, 'new');
      expect((await witness.get(path)).data.toString(), 'its member does not know').toBe('old');
      const read = Promise.all([mine.sync(path), mine.get(path)]);
      await bed.heal();
      expect((await read)[1].data.toString()).toBe('new');
    },
  );

  test('who learns late that it is its turn, from a server that has been cut off since, does not hold beside the next one', async () => {
    const link = bed.link('late', follower.name);
    await using mine = await connect(await link.address, { sessionTimeout });
    await using witness = await connect(follower.address, { sessionTimeout });
    await using other = await connect(others.map(({ address }) => address).join(','), { sessionTimeout });
    await using third = await connect(others.map(({ address }) => address).join(','), { sessionTimeout });
    const path = freshPath('late');
    const inLine = async (): Promise<number> => (await other.children(path)).names.length;
    const held = await new Lock(other, path).acquire();
    let lease: Lease | undefined;
    const waiting = new Lock(mine, path, { onSuspended: 'wait' }).acquire().then(
      (got) => {
        lease = got;
      },
      (error) => error,
    );
    await eventually('it is in line', async () => (await inLine()) === 2);
    const next = new Lock(third, path).acquire();
    await eventually('so is the next', async () => (await inLine()) === 3);
    // Its server tells that it is its turn, and is then cut off; what it has told arrives late, still within its session.
    await link.set({ blackHole: true });
    const silent = performance.now();
    await held.release();
    await eventually('its server knows', async () => (await witness.children(path)).names.length === 2);
    await bed.partition(
      [follower.name],
      others.map(({ name }) => name),
    );
    await eventually('most of its time is over', () => performance.now() - silent > 0.63 * sessionTimeout, {
      every: 5,
    });
    await link.heal();
    const after = await next;
    expect(lease === undefined || lease.signal.aborted, 'two holders at once').toBe(true);
    await bed.heal();
    await after.release();
    expect(await waiting).toMatchObject({ code: 'session-lost' });
  });
});
