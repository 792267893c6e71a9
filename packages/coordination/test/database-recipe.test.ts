import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { databaseRecipe } from './database-recipe.ts';

test('the recipe for a database: read(1) read(2) write(1) write(2) loses no update', () => {
  using database = new DatabaseSync(':memory:');
  const { read, isWritten } = databaseRecipe(database);

  expect([read(1n), read(2n)]).toEqual([0, 0]);
  expect([isWritten(1n, 1), isWritten(2n, 1)]).toEqual([false, true]);
  // The holder of the past is told so when it reads, too.
  expect(read(1n)).toBeUndefined();
  expect([read(3n), isWritten(3n, 2), read(4n)]).toEqual([1, true, 2]);
  // A newer holder that has not read under its token may not write.
  expect(isWritten(5n, 9)).toBe(false);
});
