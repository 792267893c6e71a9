import { eventually } from '@quorate/testbed';
import { Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, bench, sharedTemporal, sources } from './fixture.ts';
import * as activities from './work/activities.ts';

let b: Bench;
beforeAll(async () => {
  b = await bench(sharedTemporal());
  await b.workflows.worker({ workflowsPath: sources('rides'), activities });
});
afterAll(() => b[Symbol.asyncDispose]());

test.concurrent('a schedule starts workflows by the clock; putting it again changes it, and makes no other', async () => {
  const id = b.id('every-second');
  const { schedules } = b.workflows;
  await schedules.put(id, { workflow: 'hello', args: ['by the clock'], every: '1s' });
  const first = await eventually('two were started', async () => {
    const report = await schedules.describe(id);
    return report.started >= 2 ? report : undefined;
  });
  expect(first.recent[0]?.id).toMatch(new RegExp(`^${id}-`));
  expect(await b.workflows.get<string>(first.recent[0]?.id ?? '').result()).toBe('hello by the clock');
  await schedules.put(id, {
    workflow: 'hello',
    args: ['by the month'],
    cron: '0 3 1 * *',
    timezone: 'America/New_York',
  });
  const changed = await schedules.describe(id);
  expect(changed.next[0]?.getTime()).toBeGreaterThan(Date.now());
  // Three in the morning in New York is seven or eight by Greenwich.
  expect([7, 8]).toContain(changed.next[0]?.getUTCHours());
  await schedules.trigger(id);
  await eventually('one by hand', async () => {
    const { recent } = await schedules.describe(id);
    const ids = recent.map((one) => one.id);
    const results = await Promise.all(ids.map((one) => b.workflows.get<string>(one).result()));
    return results.includes('hello by the month');
  });
  await schedules.pause(id);
  expect((await schedules.describe(id)).paused).toBe(true);
  await schedules.resume(id);
  expect((await schedules.describe(id)).paused).toBe(false);
  await schedules.delete(id);
  await schedules.delete(id);
  await expect(schedules.describe(id)).rejects.toMatchObject({ code: 'unknown-schedule', happened: 'no' });
  await expect(schedules.pause(id)).rejects.toMatchObject({ code: 'unknown-schedule' });
});

test.concurrent('what is triggered by hand while one runs is started when that has ended, also where the clock would leave it out', async () => {
  const id = b.id('by-hand');
  const { schedules } = b.workflows;
  await schedules.put(id, { workflow: 'waits', cron: '0 0 1 1 *', overlap: 'skip' });
  await schedules.trigger(id);
  const first = await eventually('the first one runs', async () => (await schedules.describe(id)).recent[0]);
  await schedules.trigger(id);
  await b.workflows.get(first.id).signal('go');
  await eventually('the second one runs', async () => (await schedules.describe(id)).started === 2);
  // Within one second they have one name.
  const second = b.workflows.get((await schedules.describe(id)).recent.at(-1)?.id ?? '');
  await second.signal('go');
  expect(await second.result()).toBe('yellow');
  expect((await schedules.describe(id)).started).toBe(2);
  await expect(schedules.trigger(id, { overlap: 'never' as never })).rejects.toMatchObject({
    code: 'invalid-argument',
  });
  await schedules.delete(id);
});

test.concurrent("a month of a daily schedule is made up for: each day's workflow, once", async () => {
  const id = b.id('daily');
  const { schedules } = b.workflows;
  await schedules.put(id, { workflow: 'hello', args: ['daily'], cron: '0 12 * * *', overlap: 'queue-all' });
  const from = new Date('2015-03-01T00:00:00Z');
  const to = new Date('2015-03-31T23:59:59Z');
  await schedules.backfill(id, { from, to });
  await eventually('all 31 are done', async () => (await schedules.describe(id)).started === 31);
  const days = Array.from({ length: 31 }, (_, day) => `${id}-2015-03-${String(day + 1).padStart(2, '0')}T12:00:00Z`);
  for (const day of days) expect(await b.workflows.get<string>(day).result()).toBe('hello daily');
  await schedules.delete(id);
});

test.concurrent('five weeks of a workflow, through several runs, while the server skips the time', async () => {
  const id = b.id('month');
  let firstRunId: string | null | undefined;
  const connection = await Connection.connect({ address: sharedTemporal() });
  try {
    // The client has no option for it.
    ({ runId: firstRunId } = await connection.workflowService.startWorkflowExecution({
      namespace: 'default',
      workflowId: id,
      requestId: id,
      workflowType: { name: 'weekly' },
      taskQueue: { name: b.taskQueue },
      input: { payloads: [defaultPayloadConverter.toPayload({ left: 5, sum: 0 })] },
      timeSkippingConfig: { enabled: true },
    }));
  } finally {
    await connection.close();
  }
  const began = Date.now();
  const run = b.workflows.get<number>(id);
  expect(await run.result()).toBe(5);
  const { started, ended, runId } = await run.describe();
  // By the clock of the workflow: the server may skip more than was asked for, never less.
  const week = 7 * 86_400_000;
  expect((ended?.getTime() ?? 0) - began).toBeGreaterThanOrEqual(5 * week);
  expect(Date.now() - began).toBeLessThan(week);
  // The last run is another one, and began some weeks later.
  expect(runId).not.toBe(firstRunId);
  expect(started.getTime()).toBeGreaterThan(began + week);
});
