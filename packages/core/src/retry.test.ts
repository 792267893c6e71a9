import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { AmbiguousError, DeadlineExceededError, deadline, mayRetry, QuorateError, retry } from './index.ts';

const busy = (): QuorateError => new QuorateError('busy', { code: 'busy', retryable: true });

test('repeats what says it may be repeated, until it succeeds', async () => {
  const seen: number[] = [];
  const work = (attempt: number): string => {
    seen.push(attempt);
    if (attempt < 3) throw busy();
    return 'done';
  };
  expect(await retry(work, { min: 1, max: 1 })).toBe('done');
  expect(seen).toEqual([1, 2, 3]);
});

const unsure = [new DeadlineExceededError('slow'), new AmbiguousError('reply lost')];
const others = [new QuorateError('no', { code: 'no-seat', happened: 'no' }), new TypeError('bug')];

test.each([...unsure, ...others])('does not repeat after %s', async (error) => {
  let calls = 0;
  const work = (): never => {
    calls += 1;
    throw error;
  };
  await expect(retry(work, { min: 1, max: 1 })).rejects.toBe(error);
  expect(calls).toBe(1);
});

test.each(unsure)('repeats idempotent work after %s', async (error) => {
  const work = (attempt: number): number => {
    if (attempt < 3) throw error;
    return attempt;
  };
  expect(await retry(work, { idempotent: true, min: 1, max: 1 })).toBe(3);
});

test('what cannot succeed is not repeated, however idempotent the work', () => {
  for (const error of others) expect(mayRetry(error, { idempotent: true })).toBe(false);
  expect(mayRetry(busy())).toBe(true);
});

test('an attempt that may have been done is not forgotten when the next one is refused', async () => {
  const refused = (): QuorateError => new QuorateError('no', { code: 'no-seat', happened: 'no' });
  const work = (first: unknown) => (attempt: number) => {
    throw attempt === 1 ? first : refused();
  };
  const often = { idempotent: true, min: 1, max: 1 };
  await expect(retry(work(new AmbiguousError('reply lost')), often)).rejects.toMatchObject({ happened: 'unknown' });
  const unsent = new QuorateError('busy', { code: 'busy', retryable: true, happened: 'no' });
  await expect(retry(work(unsent), often)).rejects.toMatchObject({ code: 'no-seat', happened: 'no' });
});

test('one POST with a deadline orders one taxi; reads that say so are asked again', async () => {
  const asked = { GET: 0, POST: 0 };
  // It takes every order, and answers the third request of a kind at the earliest.
  const server = createServer((request, response) => {
    const count = ++asked[request.method as keyof typeof asked];
    if (count === 3) response.end('here it is');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/taxis`;
  const ask = async (method: keyof typeof asked): Promise<string> => {
    using limit = deadline(100);
    const response = await fetch(url, { method, signal: limit.signal });
    return await response.text();
  };
  try {
    await expect(retry(() => ask('POST'), { min: 1, max: 1 })).rejects.toMatchObject({ code: 'deadline-exceeded' });
    expect(asked.POST).toBe(1);
    expect(await retry(() => ask('GET'), { idempotent: true, min: 1, max: 1 })).toBe('here it is');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('gives up with the last error after the attempts allowed', async () => {
  let calls = 0;
  const work = (): never => {
    calls += 1;
    throw new QuorateError(`number ${calls}`, { code: 'busy', retryable: true });
  };
  await expect(retry(work, { attempts: 3, min: 1, max: 1 })).rejects.toThrow('number 3');
  expect(calls).toBe(3);
});

test('stops between attempts when aborted', async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  const work = (): never => {
    queueMicrotask(() => controller.abort(reason));
    throw busy();
  };
  await expect(retry(work, { signal: controller.signal, min: 60_000, max: 60_000 })).rejects.toBe(reason);
});
