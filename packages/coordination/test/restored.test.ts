import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { eventually, Testbed } from '@quorate/testbed';
import { connect, type ZooKeeper } from '@quorate/zookeeper';
import { expect, test } from 'vitest';
import { Election, Group, Lock, Queue } from '../src/index.ts';
import { childrenOf, codeOf } from './conformance/store.ts';
import { databaseRecipe } from './database-recipe.ts';

/** The token of one more holder. */
async function tokenIn(zk: ZooKeeper): Promise<bigint> {
  await using lease = await new Lock(zk, '/locks/rides').acquire();
  return lease.token;
}

async function tokensAt(servers: string, tokenEpoch: number, holders = 1): Promise<bigint> {
  await using zk = await connect(servers, { tokenEpoch });
  let token = 0n;
  for (let holder = 1; holder <= holders; holder += 1) token = await tokenIn(zk);
  return token;
}

test('a restored backup gives tokens of the past; with the epoch raised they grow, and a resource refuses who held before', async () => {
  await using bed = await Testbed.start({ zookeeper: 1 });
  const server = bed.zookeeper.member(1);
  const [data, backup] = [join(server.folder, 'data'), join(server.folder, 'backup')];
  using database = new DatabaseSync(':memory:');
  const rides = databaseRecipe(database);

  const before = await tokensAt(bed.zookeeper.url, 0, 3);
  await server.stop();
  await cp(data, backup, { recursive: true });
  await server.start();
  const late = await tokensAt(bed.zookeeper.url, 0, 20);
  expect(late).toBeGreaterThan(before);
  expect(rides.read(late)).toBe(0);
  await server.stop();
  await rm(data, { recursive: true });
  await cp(backup, data, { recursive: true });
  await server.start();

  // Without the epoch the resource takes the new holder for one of the past, and the one of the past for the newest.
  const unraised = await tokensAt(bed.zookeeper.url, 0);
  expect(unraised).toBeLessThan(late);
  expect(rides.read(unraised)).toBeUndefined();
  expect(rides.isWritten(late, 1)).toBe(true);

  const raised = await tokensAt(bed.zookeeper.url, 1);
  expect(raised).toBeGreaterThan(late);
  expect(rides.read(raised)).toBe(1);
  expect(rides.isWritten(late, 7)).toBe(false);
  expect(rides.read(late)).toBeUndefined();
  expect(rides.isWritten(raised, 2)).toBe(true);
  // A process that was left at the old epoch is refused.
  expect(rides.read(await tokensAt(bed.zookeeper.url, 0))).toBeUndefined();
});

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
