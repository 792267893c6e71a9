import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@quorate/testbed';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { bundle, type Leadership, type WorkerEvent } from '../src/index.ts';
import { type Bench, bench, sharedTemporal, sources } from './fixture.ts';
import * as activities from './work/activities.ts';
import type * as rides from './work/rides.ts';

let b: Bench;
beforeEach(async () => {
  b = await bench(sharedTemporal());
});
afterEach(() => b[Symbol.asyncDispose]());

const workflowsPath = sources('rides');

test('it is ready when the server knows that it polls, and gone from there when it has stopped', async () => {
  const worker = await b.workflows.worker({ workflowsPath, activities });
  const kinds = (await b.workflows.pollers()).map(({ kind }) => kind).sort();
  expect([...new Set(kinds)]).toEqual(['activity', 'workflow']);
  expect(worker.health()).toEqual({ status: 'pass', detail: 'it polls' });
  await worker.stop();
  await worker.stop();
  expect(worker.health()).toMatchObject({ status: 'fail', detail: 'it was stopped' });
  // Nobody does what is asked now.
  const run = await b.workflows.start('hello', { id: b.id('nobody'), args: ['x'] });
  expect((await run.describe()).status).toBe('running');
  await using _next = await b.workflows.worker({ workflowsPath, activities });
  expect(await run.result()).toBe('hello x');
});

test('a worker of activities alone, and one of workflows alone, work together', async () => {
  await b.workflows.worker({ workflowsPath });
  const run = await b.workflows.start<typeof rides.echoes>('echoes', { id: b.id('two'), args: ['both'] });
  await eventually('the activity waits', async () => (await run.describe()).pendingActivities.length === 1);
  await b.workflows.worker({ activities });
  expect(await run.result()).toBe('both');
});

test('as a component: prepared, started, stopped', async () => {
  const worker = b.workflows.prepareWorker({ workflowsPath, activities, name: 'rides' });
  expect(worker.name).toBe('rides');
  expect(worker.health()).toMatchObject({ status: 'fail', detail: 'it was not started' });
  await worker.start(new AbortController().signal);
  expect(worker.health().status).toBe('pass');
  await worker.stop();
});

test('a start that is given up leaves nothing that polls', async () => {
  const worker = b.workflows.prepareWorker({ workflowsPath, activities });
  const over = new AbortController();
  const told = expect(worker.start(over.signal)).rejects.toThrow('not now');
  over.abort(new Error('not now'));
  await told;
  expect(await b.workflows.pollers()).toEqual([]);
  await worker.stop();
});

describe('draining', () => {
  test('what is under way is finished within the time for it', async () => {
    const worker = await b.workflows.worker({ workflowsPath, activities, drain: '10s' });
    const run = await b.workflows.start<typeof rides.many>('many', { id: b.id('drained'), args: [4, 4] });
    await eventually('it works', () => activities.running.now > 0);
    await worker.stop();
    expect(activities.running.now).toBe(0);
    await using _next = await b.workflows.worker({ workflowsPath, activities });
    expect(await run.result()).toEqual([0, 2, 4, 6]);
  });

  test('what takes longer is told to stop, and goes to another worker from where it was', async () => {
    activities.resumed.length = 0;
    const worker = await b.workflows.worker({ workflowsPath, activities, drain: '100ms' });
    const run = await b.workflows.start<typeof rides.pulse>('pulse', { id: b.id('handed'), args: [60, 20] });
    await eventually('it has told of a point', async () => (await run.describe()).pendingActivities[0]?.lastHeartbeat);
    const began = performance.now();
    await worker.stop();
    expect(performance.now() - began).toBeLessThan(5_000);
    await using _next = await b.workflows.worker({ workflowsPath, activities });
    expect(await run.result()).toBe(60);
    expect(activities.resumed).toHaveLength(2);
    expect(activities.resumed[0]).toBe(undefined);
  });
});

/** An election that is decided by the test. */
class Decided implements Leadership {
  readonly #waiting: ((lease: { token: bigint; signal: AbortSignal }) => void)[] = [];
  candidates = 0;

  async lead(
    work: (lease: { token: bigint; signal: AbortSignal }) => Promise<void>,
    { signal }: { signal: AbortSignal },
  ) {
    this.candidates += 1;
    try {
      for (;;) {
        const given = new Promise<{ token: bigint; signal: AbortSignal }>((resolve) => this.#waiting.push(resolve));
        const over = new Promise<undefined>((resolve) =>
          signal.addEventListener('abort', () => resolve(undefined), { once: true }),
        );
        const lease = signal.aborted ? undefined : await Promise.race([given, over]);
        if (lease === undefined) return;
        await work(lease);
      }
    } finally {
      this.candidates -= 1;
    }
  }

  /** The one that waits longest leads, until the signal aborts. */
  elect(token: bigint): AbortController {
    const over = new AbortController();
    this.#waiting.shift()?.({ token, signal: over.signal });
    return over;
  }
}

describe('by an election', () => {
  test('it polls only while it leads; its activities have the token of the lease, and its signal', async () => {
    const election = new Decided();
    const worker = await b.workflows.worker({ workflowsPath, activities, election, drain: '5s' });
    expect(worker.health()).toEqual({ status: 'pass', detail: 'standby: it does not lead' });
    expect(await b.workflows.pollers()).toEqual([]);
    const run = await b.workflows.start<typeof rides.tokens>('tokens', { id: b.id('elected') });
    const first = election.elect(41n);
    expect(await run.result()).toBe('undefined 41');
    expect(worker.health().detail).toBe('it polls');
    const long = await b.workflows.start<typeof rides.pulse>('pulse', { id: b.id('deposed'), args: [50, 20] });
    await eventually('it works', async () => (await long.describe()).pendingActivities[0]?.lastHeartbeat);
    first.abort(new Error('the session was lost'));
    await eventually('it stands by', () => worker.health().detail?.startsWith('standby'));
    // It goes on when somebody leads again.
    election.elect(42n);
    expect(await long.result()).toBe(50);
    // A token that the workflow carries comes before that of the worker.
    const own = await b.workflows.start<typeof rides.tokens>('tokens', { id: b.id('own-token'), token: 7n });
    expect(await own.result()).toBe('7 7');
    await worker.stop();
    expect(election.candidates).toBe(0);
  });

  test('it stops also when it has never led', async () => {
    const election = new Decided();
    const worker = await b.workflows.worker({ activities, election });
    await eventually('it stands', () => election.candidates === 1);
    await worker.stop();
    expect(election.candidates).toBe(0);
  });
});

test('a worker says when another one runs other workflows on its queue', async () => {
  const [here, there, elsewhere] = await Promise.all([b.connect(), b.connect(), b.connect()]);
  await there.worker({ workflowsPath, activities });
  const worker = await here.worker({ workflowsPath, activities });
  expect(worker.health()).toEqual({ status: 'pass', detail: 'it polls' });
  await elsewhere.worker({ workflowsPath: sources('tries'), activities });
  const health = await eventually('it has noticed', () =>
    worker.health().status === 'warn' ? worker.health() : undefined,
  );
  expect(health.detail).toMatch(/code-[0-9a-f]{12}" runs other workflows on the same queue.*use version/);
});

test('a second worker of the same kind on one connection is refused, and the first one works on', async () => {
  const worker = await b.workflows.worker({ workflowsPath, activities });
  await expect(b.workflows.worker({ workflowsPath, activities })).rejects.toMatchObject({
    code: 'refused',
    happened: 'no',
    message: expect.stringContaining('has a worker of that queue already'),
  });
  expect(worker.health().status).toBe('pass');
});

test('what happens to a worker is told', async () => {
  const events: string[] = [];
  const hear = (message: unknown): void => {
    const { taskQueue, event } = message as WorkerEvent;
    if (taskQueue === b.taskQueue) events.push(event);
  };
  subscribe('quorate.workflow.worker', hear);
  onTestFinished(() => void unsubscribe('quorate.workflow.worker', hear));
  const worker = await b.workflows.worker({ activities });
  await worker.stop();
  expect(events).toEqual(['polling', 'stopped']);
});

test('a bundle from a file runs as its sources do, and is written whole', async () => {
  const out = join(tmpdir(), `quorate-test-${b.taskQueue}.js`);
  onTestFinished(() => rm(out, { force: true }));
  const { hash } = await bundle({ workflowsPath, out });
  expect(hash).toMatch(/^[0-9a-f]{12}$/);
  await using _worker = await b.workflows.worker({ bundle: out, activities });
  const run = await b.workflows.start<typeof rides.ride>('ride', { id: b.id('bundled'), args: ['cab-1', 'declined'] });
  await expect(run.result()).rejects.toMatchObject({ undone: { undone: ['charge', 'book'] } });
});
