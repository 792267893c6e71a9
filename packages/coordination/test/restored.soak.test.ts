import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, Testbed } from '@quorate/testbed';
import { connect } from '@quorate/zookeeper';
import { expect, test } from 'vitest';
import { Election, Group, Lock, Queue } from '../src/index.ts';
import { childrenOf, codeOf } from './conformance/store.ts';
import { tokensAt } from './tokens-at.ts';

/** What the members of an ensemble begin at, when none of them runs: the next election takes the number after it. */
async function raise(members: readonly { readonly folder: string }[], epoch: bigint): Promise<void> {
  for (const { folder } of members) {
    for (const name of ['acceptedEpoch', 'currentEpoch']) {
      await writeFile(join(folder, 'data', 'version-2', name), String(epoch));
    }
  }
}

test('an ensemble whose members begin at a later election gives larger tokens, until its numbers are used up', async () => {
  await using bed = await Testbed.start({ zookeeper: 3 });
  const { members, url } = bed.zookeeper;
  const stop = (): Promise<unknown> => Promise.all(members.map((member) => member.stop()));
  const start = (): Promise<unknown> => Promise.all(members.map((member) => member.start()));
  const late = await tokensAt(url, 0, 20);
  await stop();
  // Set up anew: nothing of the data is left, as with a backup that was made before there was any.
  for (const { folder } of members) await rm(join(folder, 'data', 'version-2'), { recursive: true });
  for (const { folder } of members) await mkdir(join(folder, 'data', 'version-2'));
  await raise(members, late >> 32n);
  await start();
  expect(await tokensAt(url, 0)).toBeGreaterThan(late);

  await stop();
  await raise(members, 65_535n);
  await start();
  await using zk = await connect(url, { tokenEpoch: 1 });
  const lock = new Lock(zk, '/locks/rides');
  expect(await codeOf(lock.acquire())).toBe('tokens-exhausted');
  expect(await codeOf(lock.tryAcquire())).toBe('tokens-exhausted');
  expect(await codeOf(new Election(zk, '/leader').campaign())).toBe('tokens-exhausted');
  expect(await codeOf(new Group(zk, '/group').join({ id: 'ann' }))).toBe('tokens-exhausted');
  const queue = new Queue(zk, '/queue');
  await queue.put('a ride');
  expect(await codeOf(queue.take())).toBe('tokens-exhausted');
  for (const path of ['/locks/rides', '/leader', '/group', '/queue/claims']) {
    await eventually(`nothing is left at ${path}`, async () => (await childrenOf(zk, path)).length === 0);
  }
});
