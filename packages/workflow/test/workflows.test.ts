import { randomBytes } from 'node:crypto';
import { eventually } from '@quorate/testbed';
import { Connection } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type WorkflowRun, Workflows, type WorkflowWorker } from '../src/index.ts';
import { type Bench, bench, sharedTemporal, sources } from './fixture.ts';
import * as activities from './work/activities.ts';
import type * as rides from './work/rides.ts';

let b: Bench;
let worker: WorkflowWorker;

beforeAll(async () => {
  b = await bench(sharedTemporal());
  worker = await b.workflows.worker({ workflowsPath: sources('rides'), activities });
});
afterAll(() => b[Symbol.asyncDispose]());

const waiting = async (run: WorkflowRun<unknown>): Promise<void> => {
  await eventually('it waits', () => run.query<boolean>('isWaiting').catch(() => false));
};

test('a workflow runs and gives its result, to whoever asks', async () => {
  const id = b.id('hello');
  const run = await b.workflows.start<typeof rides.hello>('hello', { id, args: ['cab-42'] });
  expect(run.id).toBe(id);
  expect(run.runId).toMatch(/^[0-9a-f-]{36}$/);
  expect(await run.result()).toBe('hello cab-42');
  const elsewhere = await b.connect();
  expect(await elsewhere.get<string>(id).result()).toBe('hello cab-42');
  expect(await elsewhere.get(id).describe()).toMatchObject({
    id,
    runId: run.runId,
    type: 'hello',
    status: 'completed',
    taskQueue: b.taskQueue,
    stuck: 0,
    pendingActivities: [],
  });
});

describe('when one of the id runs', () => {
  test('reject, the default, starts nothing', async () => {
    const id = b.id('reject');
    const run = await b.workflows.start('waits', { id });
    await expect(b.workflows.start('waits', { id })).rejects.toMatchObject({
      code: 'already-started',
      happened: 'no',
      id,
    });
    expect((await b.workflows.get(id).describe()).runId).toBe(run.runId);
    await run.signal('go');
    expect(await run.result()).toBe('yellow');
  });

  test('attach gives the one that runs, to all who start at the same time', async () => {
    const id = b.id('attach');
    const runs = await Promise.all(
      Array.from({ length: 8 }, () => b.workflows.start<typeof rides.waits>('waits', { id, ifRunning: 'attach' })),
    );
    expect(new Set(runs.map(({ runId }) => runId)).size).toBe(1);
    await runs[3]?.signal('go');
    expect(await Promise.all(runs.map((run) => run.result()))).toEqual(Array(8).fill('yellow'));
    await expect(
      b.workflows.start('hello', { id: b.id('attach'), args: ['x'], ifRunning: 'attach', ifEnded: 'attach' }),
    ).rejects.toMatchObject({ code: 'already-started', message: expect.stringContaining('is "waits", not "hello"') });
  });

  test('replace ends it, and starts another; who waited for the first is told', async () => {
    const id = b.id('replace');
    const first = await b.workflows.start('waits', { id });
    const told = expect(first.result()).rejects.toMatchObject({ code: 'workflow-terminated', outcome: 'terminated' });
    const second = await b.workflows.start<typeof rides.waits>('waits', { id, ifRunning: 'replace' });
    await told;
    expect(second.runId).not.toBe(first.runId);
    // What is meant for the first does not go to the second.
    await expect(first.cancel()).rejects.toMatchObject({ code: 'unknown-workflow', happened: 'no' });
    await second.signal('go');
    expect(await second.result()).toBe('yellow');
  });
});

test('when one of the id has ended: another, or that one, or none', async () => {
  const id = b.id('ended');
  const args: [string] = ['x'];
  const first = await b.workflows.start<typeof rides.hello>('hello', { id, args });
  await first.result();
  await expect(b.workflows.start('hello', { id, args, ifEnded: 'reject' })).rejects.toMatchObject({
    code: 'already-started',
    message: expect.stringContaining('completed'),
  });
  await expect(b.workflows.start('hello', { id, args, ifEnded: 'start-if-failed' })).rejects.toMatchObject({
    code: 'already-started',
  });
  const same = await b.workflows.start<typeof rides.hello>('hello', { id, args: ['other'], ifEnded: 'attach' });
  expect(same.runId).toBe(first.runId);
  expect(await same.result()).toBe('hello x');
  const next = await b.workflows.start<typeof rides.hello>('hello', { id, args: ['next'] });
  expect(next.runId).not.toBe(first.runId);
  expect(await next.result()).toBe('hello next');
});

test('signals, queries and updates; the query progress that every workflow answers', async () => {
  const run = await b.workflows.start<typeof rides.waits>('waits', { id: b.id('talk') });
  await waiting(run);
  expect(await run.query('progress')).toEqual({ doing: 'waiting', done: 0, of: 1, steps: [] });
  expect(await run.update<string, [string]>('colour', { args: ['green'] })).toBe('yellow');
  // The same update twice is one.
  for (const _ of [1, 2]) expect(await run.update('colour', { args: ['blue'], updateId: 'u-1' })).toBe('green');
  await expect(run.update('colour', { args: ['pink'] })).rejects.toMatchObject({
    code: 'refused-by-workflow',
    reason: 'no-such-colour',
    message: expect.stringContaining('no cab is pink'),
  });
  await expect(run.query('nothing')).rejects.toMatchObject({ code: 'refused-by-workflow' });
  await run.signal('go');
  expect(await run.result()).toBe('blue');
  expect(await run.query('progress')).toMatchObject({ doing: 'done', done: 1 });
  await expect(run.signal('go')).rejects.toMatchObject({ code: 'unknown-workflow', happened: 'no' });
});

test.concurrent('what ends a workflow is told: by cancel, by terminate, by its time, by its own failure', async () => {
  const cancelled = await b.workflows.start('waits', { id: b.id('cancelled') });
  const terminated = await b.workflows.start('waits', { id: b.id('terminated') });
  const late = await b.workflows.start('waits', { id: b.id('late'), timeout: '1s' });
  const failed = await b.workflows.start('ride', { id: b.id('failed'), args: ['cab-1', 'declined'] });
  await cancelled.cancel();
  await terminated.terminate('it is in the way');
  await expect(cancelled.result()).rejects.toMatchObject({ code: 'workflow-cancelled', outcome: 'cancelled' });
  await expect(terminated.result()).rejects.toMatchObject({
    code: 'workflow-terminated',
    message: expect.stringContaining('it is in the way'),
  });
  await expect(late.result()).rejects.toMatchObject({ code: 'workflow-timed-out', reason: 'deadline-exceeded' });
  await expect(failed.result()).rejects.toMatchObject({ code: 'workflow-failed', reason: 'declined', id: failed.id });
});

test.concurrent('a workflow whose own code fails is told as stuck, and is not ended by it', async () => {
  const run = await b.workflows.start('broken', { id: b.id('broken') });
  await expect(run.result()).rejects.toMatchObject({
    code: 'workflow-stuck',
    message: expect.stringContaining('cab is undefined'),
  });
  expect((await run.describe()).stuck).toBeGreaterThanOrEqual(1);
  expect((await run.describe()).status).toBe('running');
  // Who wants to wait waits.
  const waits = run.result({ whenStuck: 'wait', signal: AbortSignal.timeout(500) });
  await expect(waits).rejects.toMatchObject({ name: 'TimeoutError' });
  await run.terminate('it is broken');
});

test.concurrent('an unknown workflow is told with its name', async () => {
  const run = await b.workflows.start('no-such', { id: b.id('no-such') });
  await expect(run.result()).rejects.toMatchObject({
    code: 'workflow-stuck',
    message: expect.stringContaining('no-such'),
  });
  await run.terminate('there is no such workflow');
  await expect(b.workflows.get('no-such-id').describe()).rejects.toMatchObject({ code: 'unknown-workflow' });
});

test('workflows are listed, the newest first', async () => {
  const run = await b.workflows.start('hello', { id: b.id('listed'), args: ['x'] });
  await run.result();
  const query = `WorkflowId = "${run.id}"`;
  const [found] = await eventually('it is listed', async () => {
    const list = await b.workflows.list({ query });
    return list[0]?.status === 'completed' ? list : undefined;
  });
  expect(found).toMatchObject({ id: run.id, runId: run.runId, type: 'hello', status: 'completed' });
  expect((await b.workflows.list({ limit: 2 })).length).toBeLessThanOrEqual(2);
  await expect(b.workflows.list({ query: 'nonsense (' })).rejects.toMatchObject({ code: 'refused', happened: 'no' });
});

test('who gives up waiting is let go at once, and nothing is left of it', async () => {
  const run = await b.workflows.start('waits', { id: b.id('given-up') });
  const over = new AbortController();
  const told = expect(run.result({ signal: over.signal })).rejects.toThrow('enough');
  over.abort(new Error('enough'));
  await told;
  await expect(run.result({ signal: over.signal })).rejects.toThrow('enough');
  await expect(run.query('isWaiting', { signal: over.signal })).rejects.toThrow('enough');
  await run.terminate('the test is over');
});

test('after close nothing is asked any more, and who waits is told', async () => {
  const other = await Workflows.connect({ address: sharedTemporal(), taskQueue: b.taskQueue });
  const run = await other.start('waits', { id: b.id('closed') });
  const told = expect(run.result()).rejects.toMatchObject({ code: 'workflows-closed' });
  await other.close();
  await told;
  await expect(run.describe()).rejects.toMatchObject({ code: 'workflows-closed' });
  expect(other.health().status).toBe('fail');
  expect(worker.health().status).toBe('pass');
  await b.workflows.get(run.id).terminate('the test is over');
});

test('workflows are found by their search attributes; one that the server does not have is refused, and nothing is started', async () => {
  const cab = defineSearchAttributeKey(`Cab${randomBytes(4).toString('hex')}`, 'KEYWORD');
  const id = b.id('with-attribute');
  const begin = (): Promise<WorkflowRun<string>> =>
    b.workflows.start<typeof rides.hello>('hello', {
      id,
      args: ['x'],
      searchAttributes: [{ key: cab, value: 'cab-42' }],
    });
  await expect(begin()).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining(cab.name) });
  await expect(b.workflows.get(id).describe()).rejects.toMatchObject({ code: 'unknown-workflow' });
  const connection = await Connection.connect({ address: sharedTemporal() });
  await connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: { [cab.name]: 2 } });
  await connection.close();
  // Each part of the server hears of it in its time.
  const run = await eventually('the attribute is known', () => begin().catch(() => undefined));
  const found = await eventually('it is found', async () => {
    const list = await b.workflows.list({ query: `${cab.name} = "cab-42"` });
    return list.length > 0 ? list : undefined;
  });
  expect(found.map((one) => one.id)).toEqual([run.id]);
});
