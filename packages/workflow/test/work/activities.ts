import { setTimeout as wait } from 'node:timers/promises';
import { AmbiguousError, QuorateError } from '@quorate/core';
import { ApplicationFailure } from '@temporalio/common';
import { heartbeating, idempotent, step } from '../../src/activity/index.ts';

/** What was done, in order: `key what`. */
export const done: { readonly what: string; readonly key: string; readonly undoes: readonly string[] | undefined }[] =
  [];
/** By journey and step. */
export const counts = new Map<string, number>();
/** How many run at this moment, and how many did at most. */
export const running = { now: 0, most: 0 };
/** Where attempts of `beat` began. */
export const resumed: (number | undefined)[] = [];

function note(what: string): string {
  const { key, undoes } = step();
  done.push({ what, key, undoes });
  return key;
}

export async function echo(value: unknown): Promise<unknown> {
  note(String(value));
  return value;
}

export const book = async (cab: string): Promise<string> => note(`book ${cab}`);
export const release = async (cab: string): Promise<string> => note(`release ${cab}`);
export const charge = async (cab: string): Promise<string> => note(`charge ${cab}`);
export const refund = async (cab: string): Promise<string> => note(`refund ${cab}`);

export async function fail(how: 'ambiguous' | 'not-done' | 'fatal' | 'again'): Promise<never> {
  note(`fail ${how}`);
  if (how === 'ambiguous') throw new AmbiguousError('the answer was lost');
  const retryable = how === 'again' && step().attempt < 3;
  throw new QuorateError('it did not work', { code: how, retryable, happened: how === 'not-done' ? 'no' : 'unknown' });
}

/** Steps that are done, or can not be done any more: as a store of effects would remember them. */
const settled = new Map<string, 'done' | 'undone' | 'revoked'>();

export async function count(name: string, number: number): Promise<void> {
  const { signal, key } = step();
  const at = `${name} ${number}`;
  const state = settled.get(key);
  if (state === 'revoked') throw new QuorateError('it was undone before', { code: 'revoked', happened: 'no' });
  if (state === undefined) counts.set(at, (counts.get(at) ?? 0) + 1);
  settled.set(key, 'done');
  await wait(5, undefined, { signal });
}

export async function uncount(name: string, number: number): Promise<void> {
  const at = `${name} ${number}`;
  for (const key of step().undoes ?? []) {
    if (settled.get(key) === 'done') counts.set(at, (counts.get(at) ?? 0) - 1);
    settled.set(key, settled.has(key) ? 'undone' : 'revoked');
  }
  await wait(5);
}

/** What a store of effects is told to undo. */
export async function undoes(): Promise<readonly string[]> {
  note('undoes');
  const { undoes: keys } = step();
  if (keys === undefined) throw new QuorateError('nobody knows of what', { code: 'nothing-to-undo' });
  return keys;
}

export async function whoAmI(): Promise<string> {
  return String(step().token);
}

export async function slow(name: string, ms: number): Promise<void> {
  running.now += 1;
  running.most = Math.max(running.most, running.now);
  try {
    await slowly(name, ms);
  } finally {
    running.now -= 1;
  }
}

const slowly = heartbeating<undefined, [name: string, ms: number], void>(async ({ signal }, name, ms) => {
  try {
    await wait(ms, undefined, { signal });
    note(`slow ${name}`);
  } catch (error) {
    note(`stopped ${name}`);
    throw error;
  }
});

export const beat = heartbeating<number, [points: number, pace: number], number>(
  async ({ resume, at, signal }, points, pace) => {
    resumed.push(resume);
    for (let point = (resume ?? 0) + 1; point <= points; point += 1) {
      await wait(pace, undefined, { signal });
      at(point);
    }
    return points;
  },
);

/** Each attempt of `attempt`. */
export const attempts: { readonly key: string; readonly attempt: number }[] = [];

async function tried(kind: string): Promise<string> {
  const { key, attempt } = step();
  attempts.push({ key, attempt });
  if (attempt >= 3) return `done at attempt ${attempt}`;
  if (kind === 'ambiguous') throw new AmbiguousError('the answer was lost');
  if (kind === 'plain') throw new Error('something');
  throw new QuorateError('it did not work', { code: kind, retryable: kind === 'retryable' });
}

export { tried as attempt };
export const attemptIdempotent = idempotent(tried);

/** Fails at this attempt, for certain; before, it may be tried again. */
export async function notDone(last: number): Promise<never> {
  throw new QuorateError('refused', { code: 'refused', retryable: step().attempt < last, happened: 'no' });
}

export async function hugeError(): Promise<never> {
  throw ApplicationFailure.nonRetryable('it is huge', 'huge', 'x'.repeat(3 * 2 ** 20));
}

/** At the first attempt it comes to a point, and stands still there. */
export const stall = heartbeating<number, [], (number | null | undefined)[]>(
  async ({ resume, at, signal }) => {
    if (resume !== undefined) return [undefined, resume];
    at(3);
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    return [];
  },
  { stalled: '300ms' },
);

export async function enlarge(length: number): Promise<string> {
  return 'x'.repeat(length);
}
