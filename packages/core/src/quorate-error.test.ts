import { describe, expect, test, vi } from 'vitest';
import { AmbiguousError, DeadlineExceededError, InvalidArgumentError, isQuorateError, QuorateError } from './index.ts';

describe('QuorateError', () => {
  test('carries its code, whether to retry, and its cause', () => {
    const cause = new Error('reset by peer');
    const error = new QuorateError('the session is gone', { code: 'session-lost', cause });
    expect(error).toMatchObject({ name: 'QuorateError', code: 'session-lost', retryable: false, cause });
    expect('cause' in new QuorateError('no cause', { code: 'x' })).toBe(false);
  });

  test('is named after its class, also when extended by an application', () => {
    class NoSeatError extends QuorateError {}
    expect(new NoSeatError('full', { code: 'no-seat' }).name).toBe('NoSeatError');
  });

  test('is recognised by code', () => {
    const error = new AmbiguousError('reply lost');
    expect(isQuorateError(error)).toBe(true);
    expect(isQuorateError(error, 'ambiguous')).toBe(true);
    expect(isQuorateError(error, 'deadline-exceeded')).toBe(false);
  });

  test('is recognised when it comes from another copy of this package', async () => {
    vi.resetModules();
    const copy = await import('./quorate-error.ts');
    expect(copy.QuorateError).not.toBe(QuorateError);
    expect(isQuorateError(new copy.QuorateError('other', { code: 'x' }))).toBe(true);
  });

  test.each([undefined, null, 'ambiguous', { code: 'ambiguous' }, new Error('plain')])(
    'does not take %s for one',
    (other) => {
      expect(isQuorateError(other)).toBe(false);
    },
  );

  test.each([new AmbiguousError('reply lost'), new DeadlineExceededError('slow')])(
    'after %s nobody knows what happened, so it is not retryable',
    (error) => {
      expect(error).toMatchObject({ retryable: false, happened: 'unknown' });
    },
  );

  test('says that nothing happened only when it was told so', () => {
    expect(new QuorateError('x', { code: 'x', retryable: true }).happened).toBe('unknown');
    expect(new QuorateError('full', { code: 'no-seat', happened: 'no' }).happened).toBe('no');
    expect(new InvalidArgumentError('ttl', 'a duration').happened).toBe('no');
  });
});

describe('InvalidArgumentError', () => {
  test('names the argument, what was expected and what came', () => {
    const error = new InvalidArgumentError('ttl', 'a duration such as "5m"', '5 minutes');
    expect(error.message).toBe(`ttl: expected a duration such as "5m", got '5 minutes'`);
    expect(error).toMatchObject({ code: 'invalid-argument', argument: 'ttl', retryable: false });
  });

  test('says that undefined came, and says nothing where nothing may be shown', () => {
    expect(new InvalidArgumentError('path', 'a string', undefined).message).toBe(
      'path: expected a string, got undefined',
    );
    expect(new InvalidArgumentError('password', 'a string').message).toBe('password: expected a string');
  });

  test('shortens what came, however large', () => {
    expect(new InvalidArgumentError('data', 'less', 'x'.repeat(10_000_000)).message.length).toBeLessThan(200);
    expect(new InvalidArgumentError('data', 'less', Array(1e5).fill({ a: { b: 1 } })).message.length).toBeLessThan(200);
  });
});
