import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { AmbiguousError, DeadlineExceededError, deadline, doubtful, mayRetry, QuorateError, retry } from './index.ts';

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

const certain = new QuorateError('busy', { code: 'busy', retryable: true, happened: 'no' });
const refused = new QuorateError('full', { code: 'no-seat', happened: 'no' });
const quick = { min: 1, max: 1 };

/** Work whose attempts fail with these errors, one after the other. */
const failing =
  (...errors: readonly unknown[]) =>
  (attempt: number): never => {
    throw errors[attempt - 1];
  };

test('a later attempt that was certainly not done takes no doubt back', async () => {
  const work = failing(new AmbiguousError('reply lost'), certain, refused);
  await expect(retry(work, { ...quick, idempotent: true })).rejects.toMatchObject({
    code: 'no-seat',
    happened: 'unknown',
  });
});

test('an attempt that failed with an error of somebody else may have been done', async () => {
  const work = failing(new TypeError('bug'), refused);
  await expect(retry(work, { ...quick, attempts: 2, when: () => true })).rejects.toMatchObject({ happened: 'unknown' });
});

test('a doubtful error stays retryable only when no attempt was one that may not be repeated', async () => {
  const work = failing(new AmbiguousError('reply lost'), certain);
  const twice = { ...quick, attempts: 2 };
  await expect(retry(work, { ...twice, idempotent: true })).rejects.toMatchObject({ retryable: true });
  await expect(retry(work, { ...twice, when: () => true })).rejects.toMatchObject({ retryable: false });
});

test('one attempt that may not be repeated is enough: a later one does not make all of them harmless', async () => {
  const always = { attempts: 3, when: () => true, min: 1, max: 1 };
  const work = (attempt: number): never => {
    throw attempt === 1 ? new AmbiguousError('reply lost') : busy();
  };
  await expect(retry(work, always)).rejects.toMatchObject({ code: 'busy', happened: 'unknown', retryable: false });
});

test('the reason of an abort does not vouch for the attempt that it ends', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  // It has sent something by then.
  const work = (): void => {
    controller.abort(new QuorateError('stop', { code: 'fenced', happened: 'no' }));
    signal.throwIfAborted();
  };
  await expect(retry(work, { signal })).rejects.toMatchObject({ code: 'fenced', happened: 'unknown' });
});

test('a retry around a retry does not repeat what may have been done', async () => {
  let done = 0;
  const twoRequests = (): never => {
    done += 1;
    throw doubtful(certain);
  };
  await expect(retry(twoRequests, quick)).rejects.toMatchObject({ happened: 'unknown' });
  expect(done).toBe(1);
});

test('an abort between attempts does not say `no` after an attempt whose outcome is not known', async () => {
  const reason = new QuorateError('shutting down', { code: 'shut-down', happened: 'no' });
  const abortedAfter = (error: unknown): Promise<never> => {
    const controller = new AbortController();
    const work = (): never => {
      queueMicrotask(() => controller.abort(reason));
      throw error;
    };
    return retry(work, { idempotent: true, signal: controller.signal, min: 60_000, max: 60_000 });
  };
  await expect(abortedAfter(new AmbiguousError('reply lost'))).rejects.toMatchObject({
    code: 'shut-down',
    happened: 'unknown',
  });
  await expect(abortedAfter(certain)).rejects.toBe(reason);
});

test('does not begin when it is aborted already, and an attempt aborted on its way tells its own error', async () => {
  let calls = 0;
  const reason = new Error('stop');
  const count = (): number => ++calls;
  await expect(retry(count, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(calls).toBe(0);
  const controller = new AbortController();
  const work = (): never => {
    controller.abort(reason);
    throw certain;
  };
  await expect(retry(work, { signal: controller.signal })).rejects.toBe(certain);
});

test.each([
  [{ attempts: 1.5 }, 'attempts: expected a whole number of at least 1, or Infinity, got 1.5'],
  [{ attempts: 0 }, 'attempts: expected'],
  [{ idempotent: 'yes' as never }, "idempotent: expected true or false, got 'yes'"],
])('refuses %j before it begins', async (options, message) => {
  let calls = 0;
  await expect(retry(() => ++calls, options)).rejects.toThrow(message);
  expect(calls).toBe(0);
});

test('attempts may be without an end', async () => {
  const work = (attempt: number): number => {
    if (attempt < 10) throw certain;
    return attempt;
  };
  expect(await retry(work, { ...quick, attempts: Infinity })).toBe(10);
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
