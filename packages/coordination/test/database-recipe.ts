import { readFile } from 'node:fs/promises';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

// The statements of docs/coordination.md, as they stand there. SQLite stands for any database with UPDATE … RETURNING.
const text = await readFile(new URL('../../../docs/coordination.md', import.meta.url), 'utf8');
const [, block = ''] = /```sql\n(.*?)```/s.exec(text) ?? [];
const recipe = block.split(/;\s*/);

interface Rides {
  /** A read for update: the count, or undefined when it is refused. */
  read(token: bigint): unknown;
  isWritten(token: bigint, count: number): boolean;
}

/** A table with one row, which is read and written by the recipe. */
export function databaseRecipe(database: DatabaseSync): Rides {
  database.exec('CREATE TABLE rides (id INTEGER PRIMARY KEY, count INTEGER, fence BIGINT NOT NULL DEFAULT 0)');
  database.exec('INSERT INTO rides (id, count) VALUES (7, 0)');
  const [readForUpdate, write] = recipe.slice(0, 2).map((sql) => database.prepare(sql)) as [
    StatementSync,
    StatementSync,
  ];
  return {
    read: (token) => readForUpdate.get({ token, id: 7 })?.count,
    isWritten: (token, count) => write.run({ token, id: 7, count }).changes === 1,
  };
}
