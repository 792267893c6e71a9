import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from 'pg';
import { heartbeating, idempotent, PostgresEffects, step } from '../../src/activity/index.ts';

/** Where it is noted which process died at what: each dies once there. */
export const tables = [
  'CREATE TABLE IF NOT EXISTS done (ride text, step integer, by integer)',
  'CREATE TABLE IF NOT EXISTS deaths (ride text, at text, PRIMARY KEY (ride, at))',
];

/** Steps whose effects are in PostgreSQL, each once; and processes that die at one of them, before the worst moment to do so. */
export function durable(pool: Pool, workMs: number): Record<string, (...args: never[]) => Promise<unknown>> {
  const effects = new PostgresEffects(pool);

  /** The first to come here dies, when this is where it is to die. */
  const dieAt = async (ride: string, at: string, here: string): Promise<void> => {
    if (at !== here) return;
    const { rowCount } = await pool.query('INSERT INTO deaths VALUES ($1, $2) ON CONFLICT DO NOTHING', [ride, at]);
    if (rowCount === 1) process.kill(process.pid, 'SIGKILL');
  };

  return {
    /** Dies at `before-3`, when nothing is done of step 3, or at `after-3`, when all is done and nobody was told. */
    doStep: idempotent(async (ride: string, number: number, dies: string): Promise<string> => {
      await dieAt(ride, dies, `before-${number}`);
      await wait(Math.random() * workMs, undefined, { signal: step().signal });
      const result = await effects.once(async (transaction) => {
        await transaction.query('INSERT INTO done VALUES ($1, $2, 1)', [ride, number]);
        return `${ride} ${number} ${randomBytes(4).toString('hex')}`;
      });
      await dieAt(ride, dies, `after-${number}`);
      return result;
    }),
    undoStep: idempotent(async (ride: string, number: number, dies: string): Promise<void> => {
      await dieAt(ride, dies, `undo-${number}`);
      await effects.undo(async (transaction, result: string) => {
        if (!result.startsWith(`${ride} ${number} `)) throw new Error(`${result} is not of ${ride} ${number}`);
        await transaction.query('INSERT INTO done VALUES ($1, $2, -1)', [ride, number]);
      });
      await dieAt(ride, dies, `undone-${number}`);
    }),
    /** Goes on from where the one before was. Notes each point, and from where it came. */
    march: heartbeating(
      async (
        { resume, at, signal }: { resume: number | undefined; at(point: number): void; signal: AbortSignal },
        ride: string,
        points: number,
        pace: number,
      ) => {
        await pool.query('INSERT INTO done VALUES ($1, $2, 0)', [ride, resume ?? 0]);
        for (let point = (resume ?? 0) + 1; point <= points; point += 1) {
          await wait(pace, undefined, { signal });
          at(point);
        }
        return points;
      },
    ),
  } as never;
}
