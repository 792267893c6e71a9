import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WorkflowWorker } from '../src/index.ts';
import { atPause, whatsOf } from './done.ts';
import { type Bench, bench, sharedTemporal, sources } from './fixture.ts';
import * as activities from './work/activities.ts';

let b: Bench;
beforeAll(async () => {
  b = await bench(sharedTemporal());
});
afterAll(() => b[Symbol.asyncDispose]());

test('of two versions each gets its own workflows: those that began with the old one stay there, new ones go to the one in use', async () => {
  const deployment = b.taskQueue;
  const begin = async (build: string, workflows: string): Promise<WorkflowWorker> =>
    (await b.connect()).worker({
      workflowsPath: sources(workflows),
      activities,
      version: { deployment, build, behavior: 'pinned' },
    });
  await begin('1', 'rides-before');
  await expect(b.workflows.useVersion({ deployment, build: '7' })).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('"7"'),
  });
  await b.workflows.useVersion({ deployment, build: '1' });
  const before = await b.workflows.start('changed', { id: b.id('before') });
  await atPause(before);
  await begin('2', 'rides');
  await b.workflows.useVersion({ deployment, build: '2' });
  const after = await b.workflows.start('changed', { id: b.id('after') });
  await Promise.all([before.signal('onward'), after.signal('onward')]);
  expect(await Promise.all([before.result(), after.result()])).toEqual(['fare', 'fare']);
  expect(whatsOf(before.id)).toEqual(['start', 'fare']);
  expect(whatsOf(after.id)).toEqual(['start', 'toll', 'fare']);
}, 60_000);
