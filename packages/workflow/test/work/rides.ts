// Workflows of the tests, as an application would write them.

import { ApplicationFailure } from '@temporalio/common';
import { condition, defineQuery, defineSignal, defineUpdate, patched, setHandler, sleep } from '@temporalio/workflow';
import { activities, fanOut, loop, progress, saga, stop, token, withDeadline } from '../../src/inside/index.ts';
import type * as work from './activities.ts';

const { book, release, charge, refund, fail, echo, count, uncount, whoAmI, slow, enlarge } = activities<typeof work>({
  timeout: '10s',
  delay: 50,
  maxDelay: 200,
});
const beating = activities<typeof work>({ timeout: '30s', heartbeat: '1s', delay: 50, maxDelay: 200 });

export async function hello(name: string): Promise<string> {
  return `hello ${name}`;
}

export async function echoes(value: unknown): Promise<unknown> {
  return await echo(value);
}

/** Fails in the end, or does not; what was done is undone then. */
export async function ride(cab: string, how: 'well' | 'declined' | 'unknown' | 'not-done'): Promise<string> {
  const undo = saga({ delay: 50, maxDelay: 100 });
  const booked = await undo.step(
    () => book(cab),
    () => release(cab),
  );
  await undo.step(
    () => charge(cab),
    () => refund(cab),
  );
  if (how === 'declined') throw ApplicationFailure.nonRetryable('the driver declines', 'declined');
  if (how === 'unknown' || how === 'not-done')
    await undo.step(
      () => fail(how === 'unknown' ? 'ambiguous' : 'not-done'),
      () => echo(`undone ${how}`),
      { name: 'third' },
    );
  return booked;
}

/** Steps side by side: one fails while another one is under way. */
export async function sideBySide(): Promise<void> {
  const undo = saga({ delay: 50, maxDelay: 100 });
  await Promise.all([
    undo.step(
      () => beating.slow('side', 20_000),
      () => echo('undone slow'),
      { name: 'slow' },
    ),
    undo.step(
      () => fail('fatal'),
      () => echo('undone quick'),
      { name: 'quick' },
    ),
  ]);
}

/** What can not be undone is told, and the rest is undone all the same. */
export async function stubborn(): Promise<void> {
  const undo = saga({ attempts: 3, delay: 20, maxDelay: 20 });
  await undo.step(
    () => echo('one'),
    () => echo('undone one'),
    { name: 'one' },
  );
  await undo.step(
    () => echo('two'),
    () => fail('fatal'),
    { name: 'two' },
  );
  throw ApplicationFailure.nonRetryable('it went wrong', 'wrong');
}

export async function kept(): Promise<void> {
  const undo = saga();
  await undo.step(
    () => echo('kept'),
    () => fail('fatal'),
  );
  undo.keep();
  throw ApplicationFailure.nonRetryable('it went wrong', 'wrong');
}

const go = defineSignal('go');
export const colour = defineUpdate<string, [string]>('colour');
export const isWaiting = defineQuery<boolean>('isWaiting');

/** Waits to be told. */
export async function waits(): Promise<string> {
  let told = false;
  let paint = 'yellow';
  setHandler(go, () => {
    told = true;
  });
  setHandler(isWaiting, () => !told);
  setHandler(
    colour,
    (next) => {
      const before = paint;
      paint = next;
      return before;
    },
    {
      validator: (next) => {
        if (next === 'pink') throw ApplicationFailure.nonRetryable('no cab is pink', 'no-such-colour');
      },
    },
  );
  progress({ doing: 'waiting', done: 0, of: 1 });
  await condition(() => told);
  progress({ doing: 'done', done: 1 });
  return paint;
}

/** Long enough to be cancelled anywhere in it. */
export async function journey(name: string, steps: number): Promise<number> {
  const undo = saga({ delay: 20, maxDelay: 50 });
  for (let step = 0; step < steps; step += 1)
    await undo.step(
      () => count(name, step),
      () => uncount(name, step),
    );
  return steps;
}

export async function tokens(): Promise<string> {
  return `${token()} ${await whoAmI()}`;
}

export async function late(): Promise<void> {
  await withDeadline('300ms', () => beating.slow('late', 20_000));
}

export async function waitsWithin(): Promise<void> {
  progress({ doing: 'waiting' });
  await withDeadline('1h', () => condition(() => false));
}

export async function inTime(): Promise<unknown> {
  return await withDeadline('10s', () => echo('in time'));
}

export async function many(items: number, concurrency: number): Promise<unknown[]> {
  return await fanOut(
    Array.from({ length: items }, (_, index) => index),
    (item) => slow(`many-${item}`, 20).then(() => item * 2),
    { concurrency },
  );
}

export async function manyFail(): Promise<string[]> {
  const outcomes = await fanOut([1, 2, 3], (item) => (item === 2 ? fail('fatal') : echo(item)), {
    failures: 'collect',
  });
  return outcomes.map(({ status }) => status);
}

export async function oneFails(): Promise<unknown> {
  return await fanOut(
    [1, 2, 3, 4],
    (item) => (item === 1 ? fail('fatal') : beating.slow(`one-fails-${item}`, 20_000)),
    {
      concurrency: 2,
    },
  );
}

interface Sum {
  readonly left: number;
  readonly sum: number;
}

/** More rounds than a run may have events here. */
export async function long(state: Sum): Promise<number> {
  return await loop<Sum, number>(
    state,
    async ({ left, sum }) => (left === 0 ? stop(sum) : { left: left - 1, sum: sum + ((await echo(left)) as number) }),
    { events: 40 },
  );
}

/** A week, and then the next one. */
export async function weekly(weeks: Sum): Promise<number> {
  return await loop<Sum, number>(
    weeks,
    async ({ left, sum }) => {
      if (left === 0) return stop(sum);
      await sleep('7 days');
      return { left: left - 1, sum: sum + ((await echo(1)) as number) };
    },
    { events: 20 },
  );
}

export async function leavesOpen(): Promise<void> {
  await loop(
    0,
    async (round) => {
      await saga().step(
        () => echo(round),
        () => echo('undone in a loop'),
      );
      return round + 1;
    },
    { events: 10 },
  );
}

export async function pulse(points: number, pace: number): Promise<number> {
  return await beating.beat(points, pace);
}

/** A fault of the program: not of what it does. */
export async function broken(): Promise<void> {
  await echo('before');
  throw new TypeError('cab is undefined');
}

export async function badOptions(): Promise<void> {
  await fanOut([1], async () => {}, { concurrency: -1 });
}

export async function sleeps(ms: number): Promise<string> {
  await sleep(ms);
  return 'awake';
}

/** As it is after a change, beside those that began before. */
export async function changed(): Promise<string> {
  await echo('start');
  if (patched('with-toll')) await echo('toll');
  await untilToldToGoOn();
  return (await echo('fare')) as string;
}

async function untilToldToGoOn(): Promise<void> {
  let onward = false;
  let at = 'pause';
  setHandler(defineQuery<string>('at'), () => at);
  setHandler(defineSignal('onward'), () => {
    onward = true;
  });
  await condition(() => onward);
  at = 'end';
}

export async function makesLarge(): Promise<unknown> {
  return await echo(await enlarge(2_000));
}

export async function givesLarge(): Promise<string> {
  return 'x'.repeat(2_000);
}
