import { eventually } from '@quorate/testbed';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { doneBy, whatsOf } from './done.ts';
import { type Bench, bench, sharedTemporal, sources } from './fixture.ts';
import * as activities from './work/activities.ts';
import type * as cases from './work/saga-cases.ts';

let b: Bench;
let bare: Client;
beforeAll(async () => {
  b = await bench(sharedTemporal());
  await b.workflows.worker({ workflowsPath: sources('saga-cases'), activities });
  bare = new Client({ connection: await Connection.connect({ address: sharedTemporal() }) });
});
afterAll(async () => {
  await b[Symbol.asyncDispose]();
  await bare.connection.close();
});

describe.concurrent('a saga is undone', () => {
  test('when it is a handler of a signal that fails the workflow', async () => {
    const run = await b.workflows.start('failedBySignal', { id: b.id('boom') });
    await eventually('the step is done', () => whatsOf(run.id).includes('done'));
    await run.signal('boom');
    await expect(run.result()).rejects.toMatchObject({ reason: 'boom', undone: { undone: ['one'] } });
    expect(whatsOf(run.id)).toEqual(['done', 'undone']);
  });

  test('where another saga did something in one of its steps, and the step then says that nothing happened', async () => {
    const run = await b.workflows.start('sagaInSaga', { id: b.id('in-saga') });
    await expect(run.result()).rejects.toMatchObject({ undone: { undone: ['outer'], neverDone: [] } });
    expect(whatsOf(run.id)).toContain('outer undone');
  });

  test('not within one of its own steps, which would wait for itself', async () => {
    const run = await b.workflows.start('undoWithin', { id: b.id('within') });
    await expect(run.result()).rejects.toMatchObject({ reason: 'undo-within', undone: { undone: ['one'] } });
  });

  test('by a child, which knows what it undoes; where a child did it, an activity does not know, and says so', async () => {
    const run = await b.workflows.start('withChildren', { id: b.id('children') });
    await expect(run.result()).rejects.toMatchObject({
      undone: {
        undone: ['child undoes'],
        notUndone: [{ step: 'child does', why: expect.stringContaining('nobody knows') }],
      },
    });
    const key = doneBy(run.id).find(({ what }) => what === 'by an activity')?.key;
    expect(activities.done.filter(({ undoes }) => key !== undefined && undoes?.includes(key))).toHaveLength(1);
  });

  test('after it was reset: what it did before is known to it under the same key', async () => {
    const id = b.id('reset');
    const run = await b.workflows.start<typeof cases.failsLater>('failsLater', { id, args: [id] });
    const lastTask = await eventually('the step is done, and the workflow waits', async () => {
      const { events = [] } = await bare.workflow.getHandle(id).fetchHistory();
      const done = events?.some((event) => event.activityTaskCompletedEventAttributes);
      const last = events?.at(-1);
      return done && last?.workflowTaskCompletedEventAttributes ? last.eventId : undefined;
    });
    await bare.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: id, runId: run.runId ?? null },
      reason: 'a test',
      requestId: id,
      workflowTaskFinishEventId: lastTask ?? null,
    });
    const again = b.workflows.get(id);
    expect((await again.describe()).runId).not.toBe(run.runId);
    await again.signal('go');
    await expect(again.result()).rejects.toMatchObject({ reason: 'wrong', undone: { undone: ['one'] } });
    expect(activities.counts.get(`${id} 1`)).toBe(0);
  });

  test('the newest of several first; of several calls the last first', async () => {
    const run = await b.workflows.start('manyCalls', { id: b.id('many-calls') });
    await expect(run.result()).rejects.toMatchObject({ undone: { undone: ['newer', 'several'] } });
    const all = doneBy(run.id);
    const keyOf = (wanted: string): string | undefined => all.find(({ what }) => what === wanted)?.key;
    const undoing = all.filter(({ what }) => what === 'undoes').map(({ undoes }) => undoes);
    expect(undoing).toEqual([[keyOf('three')], [keyOf('fail not-done'), keyOf('two'), keyOf('one')]]);
  });

  test('where the last of several calls certainly did not happen', async () => {
    const run = await b.workflows.start('lastNotDone', { id: b.id('last-not-done') });
    await expect(run.result()).rejects.toMatchObject({ undone: { undone: ['several'], neverDone: [] } });
    expect(whatsOf(run.id)).toContain('undone');
  });

  test('at a later attempt', async () => {
    const run = await b.workflows.start('undoneInTheEnd', { id: b.id('in-the-end') });
    await expect(run.result()).rejects.toMatchObject({ undone: { undone: ['one'], notUndone: [] } });
    expect(whatsOf(run.id)).toEqual(['done', 'undone at attempt 3']);
  });

  test('and what other branches would still begin is not done any more', async () => {
    const run = await b.workflows.start('lateBranch', { id: b.id('late-branch') });
    await expect(run.result()).rejects.toMatchObject({ reason: 'wrong' });
    expect(whatsOf(run.id).filter((what) => what.startsWith('late'))).toEqual([]);
  });

  test('a cancelled run that could not be undone as a whole has failed, and says what is left', async () => {
    const run = await b.workflows.start('cancelledStubbornly', { id: b.id('stubborn') });
    await eventually('the step is done', () => whatsOf(run.id).includes('done'));
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({
      code: 'workflow-failed',
      reason: 'cancelled',
      undone: { undone: [], notUndone: [{ step: 'one', why: 'it did not work' }] },
    });
  });
});

test('the fencing token goes on into runs that continue, and into children', async () => {
  const options = { id: b.id('tokens'), args: [1] as [number], token: 7n };
  const run = await b.workflows.start<typeof cases.tokens>('tokens', options);
  expect(await run.result()).toBe('7 7');
});

test('each activity has a key of its own, whatever its id is', async () => {
  const run = await b.workflows.start('ownIds', { id: b.id('own-ids') });
  await run.result();
  const all = doneBy(run.id);
  expect(all.map(({ what }) => what)).toEqual(['one', 'two', 'three', 'four']);
  expect(new Set(all.map(({ key }) => key)).size).toBe(4);
});

test('a fault of the program in one item cancels none of the others: its mended code would not have done so', async () => {
  const run = await b.workflows.start('faultyItems', { id: b.id('faulty-items') });
  await expect(run.result()).rejects.toMatchObject({ code: 'workflow-stuck' });
  expect(await run.history()).not.toContain('CANCEL_REQUESTED');
  await run.terminate('the test is over');
});

test('who attaches to a workflow that was continued can cancel it, and waits for its end', async () => {
  const id = b.id('keeps-on');
  const first = await b.workflows.start<typeof cases.keepsOn>('keepsOn', { id, args: [100_000] });
  const now = await eventually('it is continued', async () => {
    const { runId } = await b.workflows.get(id).describe();
    return runId === first.runId ? undefined : runId;
  });
  const attached = await b.workflows.start<typeof cases.keepsOn>('keepsOn', {
    id,
    args: [1],
    ifRunning: 'attach',
  });
  expect(attached.runId).toBe(first.runId);
  const { firstRunId } = await b.workflows.get(id).describe();
  expect(firstRunId).toBe(first.runId);
  expect(now).not.toBe(firstRunId);
  const ending = attached.result();
  ending.catch(() => {});
  await attached.cancel();
  await expect(ending).rejects.toMatchObject({ code: 'workflow-cancelled' });
});
