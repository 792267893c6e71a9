import { eventually, seeded } from '@quorate/testbed';
import { bedTest } from '@quorate/testbed/vitest';
import { expect } from 'vitest';
import { bench, sources } from './fixture.ts';
import * as activities from './work/activities.ts';
import type * as rides from './work/rides.ts';

const test = bedTest({ temporal: true });
const seed = Number(process.env.QUORATE_SEED ?? Date.now() % 1_000_000);
const times = Number(process.env.QUORATE_RESTARTS ?? 10);

test(`the server is killed and comes back at ${times} moments (seed ${seed}): every ride ends, its steps done`, async ({
  bed,
}) => {
  const random = seeded(seed);
  await using b = await bench(bed.temporal.address);
  const worker = await b.workflows.worker({ workflowsPath: sources('rides'), activities });
  const names = Array.from({ length: 5 }, (_, index) => b.id(`ride-${index}`));
  const steps = 40;
  const runs = await Promise.all(
    names.map((name) => b.workflows.start<typeof rides.journey>('journey', { id: name, args: [name, steps] })),
  );
  // Who waits goes on waiting, through all of it.
  const results = Promise.all(runs.map((run) => run.result()));
  results.catch(() => {});
  for (let time = 0; time < times; time += 1) {
    const somewhere = `${names[time % names.length]} ${random.integer(0, 3) + time * 3}`;
    await eventually(`${somewhere} was done`, () => activities.counts.has(somewhere));
    await bed.temporal.server.kill();
    await bed.temporal.server.restart();
  }
  expect(await results).toEqual(names.map(() => steps));
  for (const name of names)
    for (let step = 0; step < steps; step += 1)
      expect([name, step, activities.counts.get(`${name} ${step}`)]).toEqual([name, step, 1]);
  // What can be asked can be asked again.
  const after = await b.workflows.start<typeof rides.hello>('hello', { id: b.id('after'), args: ['again'] });
  expect(await after.result()).toBe('hello again');
  await eventually('the worker says that all is well', () => worker.health().status === 'pass');
}, 120_000);

test('while the server is away: what is asked is told as such, and the worker says so', async ({ bed }) => {
  await using b = await bench(bed.temporal.address, { requestTimeout: 500 });
  const worker = await b.workflows.worker({ workflowsPath: sources('rides'), activities });
  const run = await b.workflows.start('waits', { id: b.id('away') });
  await bed.temporal.server.kill();
  try {
    await expect(run.describe()).rejects.toMatchObject({
      code: expect.stringMatching(/^(temporal-unreachable|deadline-exceeded)$/),
    });
    await expect(run.signal('go')).rejects.toMatchObject({
      code: expect.stringMatching(/^(ambiguous|deadline-exceeded)$/),
      retryable: false,
    });
    await eventually('it is told', () => worker.health().status === 'warn');
  } finally {
    await bed.temporal.server.restart();
  }
  await eventually('it is well again', () => worker.health().status === 'pass');
  await eventually('it is told', async () => {
    await run.signal('go');
    return true;
  }).catch(() => {});
  expect(await run.result()).toBe('yellow');
}, 60_000);
