import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { eventually } from '@quorate/testbed';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { TracedActivity } from '../src/index.ts';
import { type Bench, bench, sharedTemporal, sources } from './fixture.ts';
import * as activities from './work/activities.ts';
import type * as tries from './work/tries.ts';

let b: Bench;

beforeAll(async () => {
  b = await bench(sharedTemporal());
  await b.workflows.worker({ workflowsPath: sources('tries'), activities });
});
afterAll(() => b[Symbol.asyncDispose]());

const attempts = (id: string): number => activities.attempts.filter(({ key }) => key.startsWith(`${id}/`)).length;

test.concurrent.each([
  ['retryable', 3, undefined, 'one that says so is tried again'],
  ['fatal', 1, 'fatal', 'one that says that it is of no use is not'],
  ['ambiguous', 1, 'ambiguous', 'one that may have been done is not'],
  ['ambiguous-idempotent', 3, undefined, 'unless the activity finds out by itself whether it was'],
  ['fatal-idempotent', 1, 'fatal', 'which makes no other error of use'],
  ['plain', 3, undefined, 'any other error is tried again, as Temporal does it'],
] as const)('an error of an activity: %s → %i attempts, as %s: %s', async (how, count, reason, _why) => {
  const run = await b.workflows.start<typeof tries.tries>('tries', { id: b.id(how), args: [how] });
  if (reason === undefined) expect(await run.result()).toBe(`done at attempt ${count}`);
  else await expect(run.result()).rejects.toMatchObject({ code: 'workflow-failed', reason });
  expect(attempts(run.id)).toBe(count);
  const keys = activities.attempts.filter(({ key }) => key.startsWith(`${run.id}/`)).map(({ key }) => key);
  expect(new Set(keys).size).toBe(1);
});

test.concurrent('what certainly was not done at the first attempt counts as unknown after another one', async () => {
  const first = await b.workflows.start<typeof tries.certainty>('certainty', { id: b.id('first'), args: ['not-done'] });
  const later = await b.workflows.start<typeof tries.certainty>('certainty', {
    id: b.id('later'),
    args: ['not-done-later'],
  });
  expect(await first.result()).toBe('no');
  expect(await later.result()).toBe('unknown');
});

test.concurrent('a local activity has one key in all its attempts, also when it waits long between them', async () => {
  const run = await b.workflows.start<typeof tries.locally>('locally', { id: b.id('local') });
  expect(await run.result()).toBe('done at attempt 3');
  const keys = activities.attempts.filter(({ key }) => key.startsWith(`${run.id}/`)).map(({ key }) => key);
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
});

test.concurrent('an attempt that stands still is given up, and the next one goes on where it was', async () => {
  const run = await b.workflows.start<typeof tries.stalls>('stalls', { id: b.id('stalls') });
  expect(await run.result()).toEqual([null, 3]);
});

test.concurrent('an error that is too large to be sent ends neither worker nor workflow', async () => {
  const run = await b.workflows.start('huge', { id: b.id('huge') });
  await expect(run.result()).rejects.toMatchObject({
    reason: 'huge',
    message: expect.stringContaining('its details were too large'),
  });
  const next = await b.workflows.start<typeof tries.tries>('tries', { id: b.id('after-huge'), args: ['retryable'] });
  expect(await next.result()).toBe('done at attempt 3');
});

test('attempts are traced, without their arguments', async () => {
  const id = b.id('traced');
  const begun: TracedActivity[] = [];
  const failed: TracedActivity[] = [];
  const hear = (list: TracedActivity[]) => (message: unknown) => {
    if ((message as TracedActivity).id === id) list.push({ ...(message as TracedActivity) });
  };
  const { start, error } = tracingChannel('quorate.workflow.activity');
  for (const [channel, list] of [
    [start, begun],
    [error, failed],
  ] as const) {
    const listener = hear(list);
    subscribe(channel.name, listener);
    onTestFinished(() => void unsubscribe(channel.name, listener));
  }
  const run = await b.workflows.start<typeof tries.tries>('tries', { id, args: ['retryable'] });
  await run.result();
  expect(begun.map(({ activity, attempt }) => [activity, attempt])).toEqual([
    ['attempt', 1],
    ['attempt', 2],
    ['attempt', 3],
  ]);
  expect(failed).toHaveLength(2);
  expect(JSON.stringify(begun[0])).not.toContain('retryable');
  await eventually('it is over', async () => (await run.describe()).status === 'completed');
});
