import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { Pool } from 'pg';
import { expect } from 'vitest';
import { PostgresEffects } from '../src/activity/index.ts';
import { bundle, type WorkflowRun } from '../src/index.ts';
import { bench, sources } from './fixture.ts';
import { tables } from './work/durable.ts';
import type * as rides from './work/long-rides.ts';
import type { WorkerPlan } from './worker-process.ts';
import { Succession, WorkerProcess } from './worker-processes.ts';

const test = bedTest({ temporal: true, postgres: true });

/** All that is needed to let workers die. */
async function stage(bed: { temporal: { address: string }; postgres: { url: string } }) {
  const stack = new AsyncDisposableStack();
  const pool = new Pool({ connectionString: bed.postgres.url, max: 4 });
  stack.defer(() => pool.end());
  await new PostgresEffects(pool).create();
  for (const table of tables) await pool.query(table);
  const b = stack.use(await bench(bed.temporal.address));
  const out = join(tmpdir(), `quorate-test-${b.taskQueue}.js`);
  stack.defer(() => rm(out, { force: true }));
  await bundle({ workflowsPath: sources('long-rides'), out });
  const plan: WorkerPlan = {
    address: bed.temporal.address,
    taskQueue: b.taskQueue,
    bundle: out,
    postgres: bed.postgres.url,
  };
  /** What was done of a ride: how often each step was done, and undone. */
  const doneOf = async (ride: string): Promise<number[][]> => {
    const { rows } = await pool.query<{ step: number; by: number }>(
      'SELECT step, by FROM done WHERE ride = $1 ORDER BY step, by DESC',
      [ride],
    );
    return rows.map(({ step, by }) => [step, by]);
  };
  return Object.assign(b, { pool, plan, doneOf, [Symbol.asyncDispose]: () => stack.disposeAsync() });
}

const steps = 10;
const numbers = Array.from({ length: steps }, (_, index) => index + 1);

test('workers are killed at each step of ten rides, and at each undoing of ten others: every effect happens once, and what fails is undone as a whole', async ({
  bed,
}) => {
  await using s = await stage(bed);
  await using succession = new Succession(s.plan);
  // Before the effect, or after it when nobody was told.
  const forth = numbers.map((number) => (number % 2 ? `after-${number}` : `before-${number}`));
  // At some of them; at all in the soak.
  const undoings = process.env.QUORATE_ALL_KILLS ? numbers : [1, 4, 7, 10];
  const back = undoings.map((number) => (number % 2 ? `undone-${number}` : `undo-${number}`));
  const begin = (places: readonly string[], fails: boolean): Promise<WorkflowRun<string[]>[]> =>
    Promise.all(
      places.map((dies) =>
        s.workflows.start<typeof rides.longRide>('longRide', {
          id: s.id(dies),
          args: [s.id(dies), steps, dies, fails],
          // Of the other rides: a worker that dies takes their tasks with it.
          taskTimeout: '2s',
        }),
      ),
    );
  const [going, failing] = await Promise.all([begin(forth, false), begin(back, true)]);
  for (const run of going) {
    const results = await run.result();
    expect(results.map((result) => result.split(' ').slice(0, 2).join(' '))).toEqual(
      numbers.map((number) => `${run.id} ${number}`),
    );
    expect(await s.doneOf(run.id)).toEqual(numbers.map((number) => [number, 1]));
  }
  const undone = numbers.map((number) => `step ${number}`).reverse();
  for (const run of failing) {
    await expect(run.result()).rejects.toMatchObject({
      reason: 'not-paid',
      undone: { undone, notUndone: [], neverDone: [] },
    });
    expect(await s.doneOf(run.id)).toEqual(
      numbers.flatMap((number) => [
        [number, 1],
        [number, -1],
      ]),
    );
  }
  expect(succession.deaths).toBe(forth.length + back.length);
}, 180_000);

test('a worker that stands still loses its activity to another, which goes on from the last point; what the first one does later counts for nothing', async ({
  bed,
}) => {
  await using s = await stage(bed);
  // It is activities that stand still: a task of a workflow that goes to such a worker is lost for ten seconds each.
  await s.workflows.worker({ bundle: s.plan.bundle });
  await using first = await WorkerProcess.start({ ...s.plan, only: 'activities' });
  const run = await s.workflows.start<typeof rides.marches>('marches', {
    id: s.id('march'),
    args: [s.id('march'), 40, 50],
  });
  await eventually('it has told of a point', async () => {
    const [pending] = (await run.describe()).pendingActivities;
    return pending?.lastHeartbeat !== undefined && pending;
  });
  // It tells of some of them only: one is sure to have arrived after the time of a second.
  await eventually(
    'of another one',
    async () => (await s.doneOf(run.id)).length > 0 && (await run.describe()).pendingActivities[0],
  );
  first.kill('SIGSTOP');
  await using _second = await WorkerProcess.start({ ...s.plan, only: 'activities' });
  expect(await run.result()).toBe(40);
  first.kill('SIGCONT');
  const starts = (await s.doneOf(run.id)).map(([point]) => point);
  expect(starts[0]).toBe(0);
  // Some attempts go to the one that stands still, and are lost after a second: all go on from a point.
  expect(starts.length).toBeGreaterThanOrEqual(2);
  expect(starts.slice(1).every((point) => (point ?? 0) > 0)).toBe(true);
  // What the first one still wants to say is refused.
  await first.leave();
  expect((await run.describe()).status).toBe('completed');
}, 60_000);
