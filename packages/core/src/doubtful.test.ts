import { types } from 'node:util';
import { expect, test } from 'vitest';
import { doubtful, isQuorateError, QuorateError } from './index.ts';

class FullError extends QuorateError {
  readonly seats: number;
  constructor(seats: number, cause?: unknown) {
    super('full', { code: 'full', retryable: true, happened: 'no', cause });
    this.seats = seats;
  }
}

test('says that it is not known, and not that a second call does no harm; the rest is that of the error', () => {
  const error = new FullError(4, new Error('before'));
  const copy = doubtful(error);
  expect(copy).toMatchObject({ code: 'full', happened: 'unknown', retryable: false, seats: 4, message: 'full' });
  expect(copy).toBeInstanceOf(FullError);
  expect(isQuorateError(copy, 'full')).toBe(true);
  expect(types.isNativeError(copy)).toBe(true);
  expect([copy.name, copy.cause, copy.stack]).toEqual([error.name, error.cause, error.stack]);
  expect(Object.keys(copy)).toEqual(Object.keys(error));
});

test('leaves the error alone, which others may hold, and takes a frozen one', () => {
  const error = Object.freeze(new FullError(4));
  expect(doubtful(error).happened).toBe('unknown');
  expect(error).toMatchObject({ happened: 'no', retryable: true });
});

test('of idempotent work it stays retryable, when it was', () => {
  expect(doubtful(new FullError(4), { idempotent: true })).toMatchObject({ happened: 'unknown', retryable: true });
  const refused = new QuorateError('no', { code: 'no-seat', happened: 'no' });
  expect(doubtful(refused, { idempotent: true })).toMatchObject({ happened: 'unknown', retryable: false });
});

test('what is doubtful already, or not ours, is returned as it is', () => {
  for (const error of [new QuorateError('x', { code: 'x' }), new TypeError('bug'), 'text', undefined]) {
    expect(doubtful(error)).toBe(error);
  }
  const reads = new QuorateError('x', { code: 'x', retryable: true });
  expect(doubtful(reads)).toMatchObject({ retryable: false });
});
