import { expect, test, vi } from 'vitest';
import { eventually } from './eventually.ts';

test('looks until the condition gives something, and gives that', async () => {
  let looks = 0;
  const value = await eventually('three looks', () => ++looks === 3 && `after ${looks}`, { every: 1 });
  expect(value).toBe('after 3');
});

test('says what did not come, and why it last failed', async () => {
  const never = eventually('a leader', () => Promise.reject(new Error('connection refused')), { within: 20, every: 1 });
  await expect(never).rejects.toThrow('a leader: not within 20 ms: connection refused');
  await expect(never).rejects.toMatchObject({ code: 'deadline-exceeded', cause: new Error('connection refused') });
});

test('ends a look that hangs, by its signal, when the time is up', async () => {
  const hangs = (signal: AbortSignal): Promise<never> =>
    new Promise((_, fail) => signal.addEventListener('abort', () => fail(signal.reason)));
  await expect(eventually('an answer', hangs, { within: 20 })).rejects.toThrow('an answer: not within 20 ms');
});

test('stops at once when aborted', async () => {
  const stop = new AbortController();
  const reason = new Error('stop');
  const wait = eventually('never', () => false, { every: 60_000, signal: stop.signal });
  stop.abort(reason);
  await expect(wait).rejects.toBe(reason);
});

test('ends a look that nothing ends, by itself, when the time is up', async () => {
  await expect(eventually('an answer', () => new Promise<never>(() => {}), { within: 20 })).rejects.toThrow(
    'an answer: not within 20 ms',
  );
  let looks = 0;
  const failsOnce = (): Promise<never> =>
    ++looks === 1 ? Promise.reject(new Error('connection refused')) : new Promise(() => {});
  await expect(eventually('an answer', failsOnce, { within: 40, every: 1 })).rejects.toThrow(
    'an answer: not within 40 ms: connection refused',
  );
});

test('what a look gives or throws when the time is up no longer matters, and is caught', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  try {
    const { promise, reject } = Promise.withResolvers<never>();
    await expect(eventually('an answer', () => promise, { within: 20 })).rejects.toThrow('an answer: not within 20 ms');
    reject(new Error('too late'));
    const stop = new AbortController();
    const stopsAndThrows = (): never => {
      stop.abort(new Error('stop'));
      throw new Error('a mistake');
    };
    await expect(eventually('never', stopsAndThrows, { signal: stop.signal })).rejects.toThrow('stop');
    await new Promise(setImmediate);
    expect(unhandled).not.toHaveBeenCalled();
  } finally {
    process.off('unhandledRejection', unhandled);
  }
});

test('a look that hangs is given up at once when aborted', async () => {
  const stop = new AbortController();
  const wait = eventually('never', () => new Promise<never>(() => {}), { signal: stop.signal });
  stop.abort(new Error('stop'));
  await expect(wait).rejects.toThrow('stop');
});
