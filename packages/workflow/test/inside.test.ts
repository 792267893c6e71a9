import { eventually } from '@quorate/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { doneBy, whatsOf } from './done.ts';
import { type Bench, bench, sharedTemporal, sources } from './fixture.ts';
import * as activities from './work/activities.ts';
import type * as rides from './work/rides.ts';

let b: Bench;

beforeAll(async () => {
  b = await bench(sharedTemporal());
  await b.workflows.worker({ workflowsPath: sources('rides'), activities });
});
afterAll(() => b[Symbol.asyncDispose]());

describe('saga', () => {
  test('what went well stays', async () => {
    const run = await b.workflows.start<typeof rides.ride>('ride', { id: b.id('well'), args: ['cab-1', 'well'] });
    expect(await run.result()).toMatch(/^well-.*\/book-\d+$/);
    expect(whatsOf(run.id)).toEqual(['book cab-1', 'charge cab-1']);
    expect((await run.query('progress')).steps).toEqual([
      { step: 'book', state: 'done' },
      { step: 'charge', state: 'done' },
    ]);
  });

  test('what was done is undone when the workflow fails, the last step first; each undoing knows what it undoes', async () => {
    const run = await b.workflows.start('ride', { id: b.id('declined'), args: ['cab-2', 'declined'] });
    await expect(run.result()).rejects.toMatchObject({
      reason: 'declined',
      undone: { undone: ['charge', 'book'], notUndone: [], neverDone: [] },
      message: expect.stringContaining('the driver declines; undone: charge, book'),
    });
    const all = doneBy(run.id);
    expect(all.map(({ what }) => what)).toEqual(['book cab-2', 'charge cab-2', 'refund cab-2', 'release cab-2']);
    const [booking, charging, refunding, releasing] = all;
    expect(refunding?.undoes).toEqual([charging?.key]);
    expect(releasing?.undoes).toEqual([booking?.key]);
    expect(new Set(all.map(({ key }) => key)).size).toBe(4);
    expect((await run.query('progress')).undone?.undone).toEqual(['charge', 'book']);
  });

  test('a step of which nobody knows is undone as well, one that certainly was not done is not', async () => {
    const unknown = await b.workflows.start('ride', { id: b.id('unknown'), args: ['cab-3', 'unknown'] });
    const never = await b.workflows.start('ride', { id: b.id('never'), args: ['cab-4', 'not-done'] });
    await expect(unknown.result()).rejects.toMatchObject({
      reason: 'ambiguous',
      undone: { undone: ['third', 'charge', 'book'], neverDone: [] },
    });
    await expect(never.result()).rejects.toMatchObject({
      reason: 'not-done',
      undone: { undone: ['charge', 'book'], neverDone: ['third'] },
    });
    expect(whatsOf(unknown.id)).toContain('undone unknown');
    expect(whatsOf(never.id)).not.toContain('undone not-done');
  });

  test('a step that is under way when another one fails is stopped, and undone after it has ended', async () => {
    const run = await b.workflows.start('sideBySide', { id: b.id('side') });
    await expect(run.result()).rejects.toMatchObject({ undone: { undone: ['quick', 'slow'] } });
    const whats = whatsOf(run.id);
    expect(whats.indexOf('stopped side')).toBeLessThan(whats.indexOf('undone slow'));
    expect(whats.indexOf('stopped side')).toBeGreaterThanOrEqual(0);
  });

  test('what can not be undone is told, after so many attempts, and the rest is undone', async () => {
    const run = await b.workflows.start('stubborn', { id: b.id('stubborn') });
    await expect(run.result()).rejects.toMatchObject({
      reason: 'wrong',
      undone: { undone: ['one'], notUndone: [{ step: 'two', why: 'it did not work' }] },
      message: expect.stringContaining('NOT undone: two (it did not work)'),
    });
  });

  test('what is kept is not undone', async () => {
    const run = await b.workflows.start('kept', { id: b.id('kept') });
    await expect(run.result()).rejects.toMatchObject({ reason: 'wrong', undone: undefined });
    expect(whatsOf(run.id)).toEqual(['kept']);
  });

  test('a run that is cancelled is undone, and counts as cancelled', async () => {
    const run = await b.workflows.start('journey', { id: b.id('cancelled'), args: ['cancelled', 1_000] });
    await eventually('it is on its way', () => activities.counts.get('cancelled 3') === 1);
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ code: 'workflow-cancelled' });
    expect((await run.describe()).status).toBe('cancelled');
    for (const [key, count] of activities.counts)
      if (key.startsWith('cancelled ')) expect([key, count]).toEqual([key, 0]);
    expect((await run.query('progress')).undone?.notUndone).toEqual([]);
  });

  test('a run is not continued as a new one while a saga is open', async () => {
    const run = await b.workflows.start('leavesOpen', { id: b.id('open') });
    await expect(run.result()).rejects.toMatchObject({
      reason: 'saga-open',
      message: expect.stringContaining('keep()'),
      undone: { notUndone: [] },
    });
    const whats = whatsOf(run.id);
    expect(whats.filter((what) => what === 'undone in a loop')).toHaveLength(
      whats.filter((what) => /^\d+$/.test(what)).length,
    );
  });
});

test('the fencing token goes through the workflow into its activities', async () => {
  const token = 2n ** 60n + 1n;
  const run = await b.workflows.start<typeof rides.tokens>('tokens', { id: b.id('token'), token });
  expect(await run.result()).toBe(`${token} ${token}`);
  const without = await b.workflows.start<typeof rides.tokens>('tokens', { id: b.id('no-token') });
  expect(await without.result()).toBe('undefined undefined');
});

describe('withDeadline', () => {
  test('stops what runs when the time is up', async () => {
    const run = await b.workflows.start('late', { id: b.id('late') });
    await expect(run.result()).rejects.toMatchObject({ reason: 'deadline-exceeded' });
    expect(whatsOf(run.id)).toEqual(['stopped late']);
  });

  test('is of no account when the work is done in time', async () => {
    const run = await b.workflows.start<typeof rides.inTime>('inTime', { id: b.id('in-time') });
    expect(await run.result()).toBe('in time');
  });

  test('is cancelled with the workflow', async () => {
    const run = await b.workflows.start('waitsWithin', { id: b.id('within') });
    await eventually('it waits', async () => (await run.query('progress').catch(() => undefined))?.doing === 'waiting');
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ code: 'workflow-cancelled' });
  });
});

describe('fanOut', () => {
  test('gives results in the order of the items, so many at a time', async () => {
    activities.running.most = 0;
    const run = await b.workflows.start<typeof rides.many>('many', { id: b.id('many'), args: [12, 3] });
    expect(await run.result()).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22]);
    expect(activities.running.most).toBeGreaterThan(1);
    expect(activities.running.most).toBeLessThanOrEqual(3);
  });

  test('the first failure stops what is under way, and begins nothing new', async () => {
    const run = await b.workflows.start('oneFails', { id: b.id('one-fails') });
    await expect(run.result()).rejects.toMatchObject({ reason: 'fatal' });
    const whats = whatsOf(run.id);
    expect(whats).toContain('stopped one-fails-2');
    expect(whats.join()).not.toMatch(/one-fails-[34]/);
  });

  test('or all have an outcome', async () => {
    const run = await b.workflows.start<typeof rides.manyFail>('manyFail', { id: b.id('many-fail') });
    expect(await run.result()).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('bad options end the workflow, and do not hold it', async () => {
    const run = await b.workflows.start('badOptions', { id: b.id('bad') });
    await expect(run.result()).rejects.toMatchObject({
      reason: 'invalid-argument',
      message: expect.stringContaining('concurrency: expected a whole number of at least 1'),
    });
  });
});

test('a long loop goes through several runs, with its state and its token', async () => {
  const run = await b.workflows.start<typeof rides.long>('long', {
    id: b.id('long'),
    args: [{ left: 30, sum: 0 }],
    token: 7n,
  });
  expect(await run.result()).toBe((30 * 31) / 2);
  expect((await b.workflows.get(run.id).describe()).runId).not.toBe(run.runId);
  const keys = doneBy(run.id).map(({ key }) => key);
  expect(new Set(keys).size).toBe(30);
  expect(new Set(keys.map((key) => key.split('/')[1])).size).toBeGreaterThan(2);
});
