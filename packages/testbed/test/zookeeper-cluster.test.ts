import { expect, test } from 'vitest';
import { eventually, Testbed } from '../src/index.ts';

test('five ZooKeeper members bear the loss of two leaders, serve nobody without a majority, and come back', async () => {
  await using bed = await Testbed.start({ zookeeper: 5 });
  for (let round = 0; round < 2; round += 1) {
    const leader = await eventually('a leader', () => bed.zookeeper.leader());
    await leader.kill();
    const next = await eventually('another leader', () => bed.zookeeper.leader());
    expect(next.name).not.toBe(leader.name);
  }
  const [one] = bed.zookeeper.members.filter(({ state }) => state === 'running');
  await one?.kill();
  await eventually('no leader without a majority', async () => (await bed.zookeeper.leader()) === undefined);
  await Promise.all(bed.zookeeper.members.filter(({ state }) => state === 'killed').map((member) => member.restart()));
  await eventually('all five are well', async () => (await bed.health()).status === 'pass');
});
