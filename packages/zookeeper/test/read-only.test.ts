import { eventually, Testbed } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { connect } from '../src/index.ts';
import { codeOf } from './conformance.ts';

test('a member cut off from its ensemble is read by who accepts that, until there is a quorum again', async () => {
  // A read-only member can only hand out local sessions.
  const config = { localSessionsEnabled: true, localSessionsUpgradingEnabled: true };
  await using bed = await Testbed.start({ zookeeper: { members: 3, jvm: ['-Dreadonlymode.enabled=true'], config } });
  const [first, second, third] = bed.zookeeper.members;
  await Promise.all([first?.kill(), second?.kill()]);
  await eventually('it is cut off', async () => {
    await using zk = await connect(third?.address ?? '', { readOnly: true, timeout: 2_000 });
    return zk.readOnly;
  });
  await expect(connect(third?.address ?? '', { timeout: 500 })).rejects.toMatchObject({ code: 'deadline-exceeded' });
  await using reader = await connect(bed.zookeeper.url, { readOnly: true, sessionTimeout: 20_000 });
  expect(reader.readOnly).toBe(true);
  expect((await reader.children('/')).names).toContain('zookeeper');
  expect(await codeOf(reader.create('/never'))).toBe('not-read-only');
  await Promise.all([first?.restart(), second?.restart()]);
  await eventually('the reader has moved on', () => !reader.readOnly && reader.state === 'connected');
  const { stat } = await reader.create('/e', '', { mode: 'ephemeral' });
  expect(stat.ephemeralOwner).toBe(reader.id);
});
