import { expect, test } from 'vitest';
import { Allowance } from './allowance.ts';
import { isOriginFailure } from './failure.ts';
import { Origin } from './origin.ts';
import { Counters } from './stats.ts';

const limits = { concurrency: 1, queue: 1, breakAfter: 1, breakFor: 60_000, isFailure: isOriginFailure };

function origin(): { readonly origin: Origin; call<T>(name: string, work: () => T | Promise<T>): Promise<T> } {
  const made = new Origin({ prefix: 'taxi', origin: limits }, new Counters());
  return {
    origin: made,
    call: async (name, work) => {
      using allowance = new Allowance(60_000, 'late');
      return await made.call(['key'], name, allowance, async () => work());
    },
  };
}

test('names that were made up on the fly take a bounded amount of memory, and those that load are not forgotten', async () => {
  const { origin: all, call } = origin();
  const { promise, resolve } = Promise.withResolvers<string>();
  const busy = call('busy', () => promise);
  const queued = call('busy', () => 'second');
  const fail = (): Promise<never> => Promise.reject(new Error('no'));
  for (let i = 0; i < 2_000; i += 1) await expect(call(`made up ${i}`, fail)).rejects.toThrow('no');
  // All of those that are remembered, but the one that loads.
  expect(all.broken.length).toBe(999);
  // Forgotten, it would let in two at a time.
  await expect(call('busy', () => 'third')).rejects.toMatchObject({ code: 'overloaded' });
  resolve('first');
  expect(await Promise.all([busy, queued])).toEqual(['first', 'second']);
});

test('what the loader of a trial asks for is part of the trial', async () => {
  const settings = { prefix: 'taxi', origin: { ...limits, breakFor: 0 } };
  const made = new Origin(settings, new Counters());
  const load = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    using allowance = new Allowance(60_000, 'late');
    return await made.ask([key], () => made.call([key], '', allowance, work));
  };
  const fail = (): Promise<never> => Promise.reject(new Error('no'));
  await expect(load('page', fail)).rejects.toThrow('no');
  await expect(load('page', () => load('part', fail))).rejects.toThrow('no');
  expect(made.broken).toEqual(['']);
  expect(await load('page', () => load('part', async () => 'well'))).toBe('well');
  expect(made.broken).toEqual([]);
});

test('an error that cannot be judged counts, and is what the caller gets', async () => {
  const judge = (): never => {
    throw new Error('of the judge');
  };
  const settings = { prefix: 'taxi', origin: { ...limits, isFailure: judge } };
  const made = new Origin(settings, new Counters());
  using allowance = new Allowance(60_000, 'late');
  const fail = (): Promise<never> => Promise.reject(new Error('of the loader'));
  await expect(made.call(['key'], '', allowance, fail)).rejects.toThrow('of the loader');
  expect(made.broken).toEqual(['']);
});

test('what an error says of whose fault it is', () => {
  const withStatus = (status: number): Error => Object.assign(new Error(), { status });
  for (const status of [400, 401, 404, 409, 410, 422, 499]) expect(isOriginFailure(withStatus(status))).toBe(false);
  for (const status of [408, 429, 500, 502, 503, 200]) expect(isOriginFailure(withStatus(status))).toBe(true);
  for (const odd of [
    undefined,
    null,
    'no',
    5,
    {},
    { status: '400' },
    { response: null },
    new TypeError('fetch failed'),
  ]) {
    expect(isOriginFailure(odd)).toBe(true);
  }
});
