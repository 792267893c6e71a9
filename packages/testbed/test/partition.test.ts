import { describe, expect } from 'vitest';
import { eventually } from '../src/index.ts';
import { bedTest } from '../src/vitest.ts';
import { zookeeperClient } from './zookeeper-client.ts';

const test = bedTest({ zookeeper: { members: 3, config: { syncLimit: 4 } } });

describe('an ensemble whose leader is cut off from its followers', () => {
  test('writes only on the side of the majority, and agrees after healing', async ({ bed }) => {
    const leader = await eventually('a leader', () => bed.zookeeper.leader());
    const followers = bed.zookeeper.members.filter((member) => member !== leader);
    using minority = await zookeeperClient(leader.address);
    await minority.create('/before', 'x');
    await bed.partition(
      [leader.name],
      followers.map(({ name }) => name),
    );

    // The old leader takes the request, and can never commit it; then it serves nobody.
    const refused = expect(minority.create('/minority', 'x')).rejects.toThrow(/CONNECTION_LOSS|SESSION_EXPIRED/);
    await eventually('the majority has a leader', async () =>
      (await Promise.all(followers.map((member) => bed.zookeeper.isLeader(member)))).includes(true),
    );
    using majority = await zookeeperClient(followers.map(({ address }) => address).join(','));
    await majority.create('/majority', 'x');
    await refused;
    await eventually('the minority serves nobody', async () => (await leader.health()).status === 'fail');
    expect(leader.state).toBe('running');

    await bed.heal();
    await eventually('all are well', async () => (await bed.health()).status === 'pass');
    for (const member of bed.zookeeper.members) {
      using client = await zookeeperClient(member.address);
      await eventually('it has what the majority wrote', async () => (await client.get('/majority')) === 'x');
      expect(await client.get('/before')).toBe('x');
      expect(await client.get('/minority')).toBeUndefined();
    }
  });

  test('goes on when a follower is alone, which comes back', async ({ bed }) => {
    const leader = await eventually('a leader', () => bed.zookeeper.leader());
    const [alone, other] = bed.zookeeper.members.filter((member) => member !== leader);
    const partition = await bed.partition([alone?.name ?? ''], [leader.name, other?.name ?? '']);
    await eventually('it serves nobody', async () => (await alone?.health())?.status === 'fail');
    using client = await zookeeperClient(leader.address);
    await client.create('/without-one', 'x');
    expect(await bed.zookeeper.leader()).toBe(leader);
    await partition.heal();
    await eventually('all are well', async () => (await bed.health()).status === 'pass');
    using late = await zookeeperClient(alone?.address ?? '');
    await eventually('it has caught up', async () => (await late.get('/without-one')) === 'x');
  });

  test('has members that a slow way only slows', async ({ bed }) => {
    const leader = await eventually('a leader', () => bed.zookeeper.leader());
    using client = await zookeeperClient(leader.address);
    for (const member of bed.zookeeper.members) {
      if (member !== leader) await bed.link(leader.name, member.name).set({ latencyMs: 100 });
    }
    const begin = performance.now();
    await client.create('/slowly', 'x');
    expect(performance.now() - begin).toBeGreaterThanOrEqual(199);
    expect(await bed.zookeeper.leader()).toBe(leader);
    await bed.heal();
  });
});

describe('a member behind its gateway', () => {
  test('comes back on its own addresses after a restart, all of them equal on every member', async ({ bed }) => {
    for (const member of bed.zookeeper.members) await member.restart();
    const configs = new Set<string | undefined>();
    for (const member of bed.zookeeper.members) {
      using client = await zookeeperClient(member.address);
      configs.add(await client.get('/zookeeper/config'));
    }
    expect(configs.size).toBe(1);
    expect([...configs][0]).toContain(`;${bed.zookeeper.member(1).address}`);
  });

  test('is refused an unknown link by name', async ({ bed }) => {
    expect(() => bed.link('zookeeper-1', 'zookeeper-9')).toThrow(
      /two servers with a link between them: zookeeper-1 and zookeeper-2,/,
    );
    await expect(bed.link('zookeeper-1', 'zookeeper-2').address).rejects.toThrow(/these two use theirs by themselves/);
  });
});

describe('a slow server', () => {
  test('answers, but late, until it is resumed', async ({ bed }) => {
    const leader = await eventually('a leader', () => bed.zookeeper.leader());
    const period = 300;
    await leader.slow({ duty: 0.2, period });
    // Over two periods: a slow one cannot look fast by luck.
    const slowest = async (): Promise<number> => {
      const first = performance.now();
      let longest = 0;
      while (performance.now() - first < 2 * period) {
        const begin = performance.now();
        expect(await leader.health()).toEqual({ status: 'pass' });
        longest = Math.max(longest, performance.now() - begin);
      }
      return longest;
    };
    expect(leader.isSlow).toBe(true);
    expect(await slowest()).toBeGreaterThan(150);
    await bed.heal();
    expect(leader.isSlow).toBe(false);
    // Any one answer may be late on a busy machine.
    await eventually('it answers at once again', async () => (await slowest()) < 80);
    await expect(leader.slow({ duty: 1 })).rejects.toThrow('duty: expected a share above 0 and below 1, got 1');
  });

  test('can be killed and restarted', async ({ bed }) => {
    const server = bed.zookeeper.member(1);
    await server.slow({ duty: 0.5 });
    await server.kill();
    expect(server.isSlow).toBe(false);
    await server.start();
    expect(await server.health()).toEqual({ status: 'pass' });
  });
});
