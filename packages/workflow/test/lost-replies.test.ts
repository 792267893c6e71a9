import { eventually, Relay } from '@quorate/testbed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Workflows } from '../src/index.ts';
import { type Bench, bench, sharedTemporal, sources } from './fixture.ts';
import * as activities from './work/activities.ts';
import type * as rides from './work/rides.ts';

let b: Bench;
let relay: Relay;
let fate: 'pass' | 'hold' | 'cut' = 'pass';
let losses = 0;
/** Two that hear of nothing while replies are lost: one gives up, the other one connects again, and asks again. */
let hasty: Workflows;
let stubborn: Workflows;

beforeAll(async () => {
  b = await bench(sharedTemporal());
  relay = await Relay.to(sharedTemporal(), () => ({
    answer: () => {
      if (fate !== 'pass') losses += 1;
      return fate;
    },
  }));
  hasty = await b.connect({ address: relay.address, requestTimeout: '1s' });
  stubborn = await b.connect({ address: relay.address, requestTimeout: '10s' });
  await b.workflows.worker({ workflowsPath: sources('rides'), activities });
});
afterAll(async () => {
  await b[Symbol.asyncDispose]();
  await relay[Symbol.asyncDispose]();
});

/** What comes of a call whose reply is lost, on a connection that was open before. */
async function lost(how: 'hold' | 'cut', client: Workflows, work: () => Promise<unknown>): Promise<unknown> {
  await eventually('it is connected', () =>
    client.list({ limit: 1 }).then(
      () => true,
      () => false,
    ),
  );
  losses = 0;
  fate = how;
  const ending = work().catch((error: unknown) => error);
  await eventually('a reply was lost', () => losses > 0);
  if (how === 'hold') await ending;
  fate = 'pass';
  // What is held back stays so.
  if (how === 'hold') relay.cut();
  return await ending;
}

/** How often something happened to the workflow. */
const countOf = async (id: string, kind: string): Promise<number> =>
  (await b.workflows.get(id).history()).split(`"EVENT_TYPE_${kind}"`).length - 1;

test('the reply to a start never comes: nobody knows, says the error; who starts again with attach has the one that was started', async () => {
  const id = b.id('start-held');
  const begin = (): Promise<unknown> =>
    hasty.start<typeof rides.waits>('waits', { id, ifRunning: 'attach', ifEnded: 'attach' });
  expect(await lost('hold', hasty, begin)).toMatchObject({ code: 'ambiguous', retryable: false, happened: 'unknown' });
  const there = await b.workflows.get(id).describe();
  const again = await eventually('it can be asked again', () => begin().catch(() => undefined));
  expect(again).toMatchObject({ id, runId: there.runId });
});

test('the connection ends before the reply to a start, a signal and an update: each was done once', async () => {
  const id = b.id('start-cut');
  const run = await lost('cut', stubborn, () => stubborn.start<typeof rides.waits>('waits', { id }));
  expect(run).toMatchObject({ id, runId: (await b.workflows.get(id).describe()).runId });
  const update = { args: ['green'] as [string], updateId: 'u-1' };
  const painted = await lost('cut', stubborn, () => stubborn.get(id).update<string, [string]>('colour', update));
  expect(painted).toBe('yellow');
  // The same update, once more: it is answered as it was the first time.
  expect(await b.workflows.get(id).update<string, [string]>('colour', update)).toBe('yellow');
  await lost('cut', stubborn, () => stubborn.get(id).signal('go'));
  expect(await b.workflows.get(id).result()).toBe('green');
  expect(await countOf(id, 'WORKFLOW_EXECUTION_SIGNALED')).toBe(1);
  expect(await countOf(id, 'WORKFLOW_EXECUTION_UPDATE_ACCEPTED')).toBe(1);
});

test('the reply to a signal never comes: nobody knows, and it was sent once', async () => {
  const run = await b.workflows.start<typeof rides.waits>('waits', { id: b.id('signal-held') });
  expect(await lost('hold', hasty, () => hasty.get(run.id).signal('go'))).toMatchObject({
    code: 'ambiguous',
    retryable: false,
  });
  expect(await run.result()).toBe('yellow');
  expect(await countOf(run.id, 'WORKFLOW_EXECUTION_SIGNALED')).toBe(1);
});
