import { readFile } from 'node:fs/promises';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { expect, test } from 'vitest';

// The statements of docs/coordination.md, as they stand there. SQLite stands for any database with UPDATE … RETURNING.
const text = await readFile(new URL('../../../docs/coordination.md', import.meta.url), 'utf8');
const [, block = ''] = /```sql\n(.*?)```/s.exec(text) ?? [];
const recipe = block.split(/;\s*/);

test('the recipe for a database: read(1) read(2) write(1) write(2) loses no update', () => {
  using database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE rides (id INTEGER PRIMARY KEY, count INTEGER, fence BIGINT NOT NULL DEFAULT 0)');
  database.exec('INSERT INTO rides (id, count) VALUES (7, 0)');
  const [readForUpdate, write] = recipe.slice(0, 2).map((sql) => database.prepare(sql)) as [
    StatementSync,
    StatementSync,
  ];
  const read = (token: bigint): unknown => readForUpdate.get({ token, id: 7 })?.count;
  const isWritten = (token: bigint, count: number): boolean => write.run({ token, id: 7, count }).changes === 1;

  expect([read(1n), read(2n)]).toEqual([0, 0]);
  expect([isWritten(1n, 1), isWritten(2n, 1)]).toEqual([false, true]);
  // The holder of the past is told so when it reads, too.
  expect(read(1n)).toBeUndefined();
  expect([read(3n), isWritten(3n, 2), read(4n)]).toEqual([1, true, 2]);
  // A newer holder that has not read under its token may not write.
  expect(isWritten(5n, 9)).toBe(false);
});
