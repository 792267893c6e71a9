import { eventually } from '@quorate/testbed';
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
  await eventually('one by hand', async () => (await schedules.describe(id)).started > changed.started);
  await schedules.pause(id);
  expect((await schedules.describe(id)).paused).toBe(true);
  await schedules.resume(id);
  expect((await schedules.describe(id)).paused).toBe(false);
  await schedules.delete(id);
  await schedules.delete(id);
  await expect(schedules.describe(id)).rejects.toMatchObject({ code: 'unknown-schedule', happened: 'no' });
  await expect(schedules.pause(id)).rejects.toMatchObject({ code: 'unknown-schedule' });
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
