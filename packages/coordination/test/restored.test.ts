import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Testbed } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { databaseRecipe } from './database-recipe.ts';
import { tokensAt } from './tokens-at.ts';

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
