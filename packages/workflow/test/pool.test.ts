import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, seeded } from '@quorate/testbed';
import { expect, test } from 'vitest';
import { bundle, type WorkflowWorker } from '../src/index.ts';
import { bench, sharedTemporal, sources } from './fixture.ts';
import * as activities from './work/activities.ts';
import type * as rides from './work/rides.ts';

const seed = Number(process.env.QUORATE_SEED ?? Date.now() % 1_000_000);
const count = Number(process.env.QUORATE_WORKFLOWS ?? 200);

test(`${count} workflows on workers that come and go (seed ${seed}): all end, and each step was done`, async () => {
  const random = seeded(seed);
  await using b = await bench(sharedTemporal());
  const out = join(tmpdir(), `quorate-test-${b.taskQueue}.js`);
  await using _ = { [Symbol.asyncDispose]: () => rm(out, { force: true }) };
  await bundle({ workflowsPath: sources('rides'), out });
  // Each with a connection of its own, as in processes of their own.
  const begin = async (): Promise<WorkflowWorker> =>
    (await b.connect()).worker({ bundle: out, activities, drain: '5s' });
  const workers: WorkflowWorker[] = [await begin()];
  const names = Array.from({ length: count }, (_, index) => b.id(`pool-${index}`));
  const steps = 3;
  let left = count;
  const done = Promise.all(
    names.map(async (name) => {
      const run = await b.workflows.start<typeof rides.journey>('journey', {
        id: name,
        args: [name, steps],
        // A worker that stops while it has much to do leaves some tasks behind.
        taskTimeout: '2s',
      });
      const result = await run.result();
      left -= 1;
      return result;
    }),
  );
  done.catch(() => {});
  // From one to three, and back: ten times while they go.
  let changes = 0;
  for (let next = count; next > 0; next -= Math.ceil(count / 10)) {
    await eventually('some more have ended', () => left <= next, { within: 60_000 });
    if (workers.length === 1 || (workers.length < 3 && random.next() < 0.5)) workers.push(await begin());
    else await workers.splice(random.integer(0, workers.length - 1), 1)[0]?.stop();
    changes += 1;
  }
  expect(await done).toEqual(names.map(() => steps));
  expect(changes).toBe(10);
  for (const name of names)
    for (let step = 0; step < steps; step += 1)
      expect([name, step, activities.counts.get(`${name} ${step}`)]).toEqual([name, step, 1]);
  expect(workers.every((worker) => worker.health().status === 'pass')).toBe(true);
}, 120_000);

test(`rides are cancelled at random moments (seed ${seed}): each was done as a whole, or nothing of it is left`, async () => {
  const random = seeded(seed);
  await using b = await bench(sharedTemporal());
  await b.workflows.worker({ workflowsPath: sources('rides'), activities });
  const steps = 6;
  const outcomes = await Promise.all(
    Array.from({ length: 30 }, async (_, index) => {
      const name = b.id(`cancel-${index}`);
      const run = await b.workflows.start('journey', { id: name, args: [name, steps] });
      const moment = random.integer(0, steps);
      if (moment > 0) await eventuallyDone(name, moment - 1);
      await run.cancel().catch((error: { code: string }) => expect(error.code).toBe('unknown-workflow'));
      const ended = await run.result().then(
        () => 'completed',
        (error: { code: string }) => error.code,
      );
      const left = Array.from({ length: steps }, (_, step) => activities.counts.get(`${name} ${step}`) ?? 0);
      expect([name, ended, left]).toEqual([name, ended, Array(steps).fill(ended === 'completed' ? 1 : 0)]);
      return ended;
    }),
  );
  expect(outcomes).toContain('workflow-cancelled');
}, 60_000);

async function eventuallyDone(name: string, step: number): Promise<void> {
  while (!activities.counts.has(`${name} ${step}`)) await new Promise((next) => setImmediate(next));
}
