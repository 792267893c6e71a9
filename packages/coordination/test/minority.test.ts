import { type BedOf, eventually, type Server, Testbed } from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type LeaseEndedError, Lock } from '../src/index.ts';
import { codeOf, freshPath } from './conformance/store.ts';

// A member that is cut off from its leader goes on answering reads and pings, for `syncLimit` ticks: 5 seconds here, as long as
// two sessions and a half. Whoever is connected to it hears nothing of the partition.
let bed: BedOf<{ zookeeper: 3 }>;
let others: Server[];
let follower: Server;

beforeAll(async () => {
  bed = await Testbed.start({ zookeeper: 3 });
  const leader = await eventually('a leader', () => bed.zookeeper.leader());
  follower = bed.zookeeper.members.find((member) => member !== leader) as Server;
  others = bed.zookeeper.members.filter((member) => member !== follower);
});
afterEach(() => bed.heal());
afterAll(() => bed?.stop());

const sessionTimeout = 2_000;

test.each(['stop', 'wait'] as const)(
  'fact 14: a holder whose member is cut off from the leader stops before the next one begins (%s)',
  async (onSuspended) => {
    await using mine = await connect(follower.address, { sessionTimeout });
    await using other = await connect(others.map(({ address }) => address).join(','), { sessionTimeout });
    const [path, file] = [freshPath('minority'), freshPath('file')];
    await other.create(file, 'old');
    const lease = await new Lock(mine, path, { onSuspended }).acquire();
    let ended = Number.POSITIVE_INFINITY;
    lease.signal.addEventListener('abort', () => {
      ended = performance.now();
    });
    await bed.partition(
      [follower.name],
      others.map(({ name }) => name),
    );
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
    await bed.heal();
    await lease.release();
    await next.release();
    expect((await other.get(file)).data.toString()).toBe('new');
  },
);
