import { isQuorateError } from '@quorate/core';
import { expect, test } from 'vitest';
import { serverError } from './server-errors.ts';

const asked = { operation: 'get', path: '/a' };
/** Every error code of ZooKeeper 3.9. */
const codes = [
  -1, -2, -3, -4, -5, -6, -7, -8, -12, -13, -14, -100, -101, -102, -103, -108, -110, -111, -112, -113, -114, -115, -118,
  -119, -120, -121, -122, -123, -124, -125, -127,
];

test('every code of the servers has a word of its own', () => {
  const words = codes.map((code) => serverError(code, asked).code);
  expect(new Set(words).size).toBe(codes.length);
  expect(words).not.toContain('unknown-server-error');
});

test.each([...codes, 1, -126, -9999, 2 ** 31 - 1])(
  'code %i is a typed error with operation, path and number',
  (code) => {
    const error = serverError(code, asked);
    expect(isQuorateError(error)).toBe(true);
    expect(error).toMatchObject({ serverCode: code, operation: 'get', path: '/a' });
    expect(error.message).toMatch(/^get \/a: /);
  },
);

test('one that nobody has heard of is an error, not a crash', () => {
  expect(serverError(-9999, { operation: 'sync' })).toMatchObject({ code: 'unknown-server-error', retryable: false });
});

test('a refusal says that nothing happened; a server that failed says nothing about it', () => {
  const happened = (...some: number[]): string[] => some.map((code) => serverError(code, asked).happened);
  expect(new Set(happened(-101, -102, -103, -110, -111, -108, -114, -118, -125, -127))).toEqual(new Set(['no']));
  expect(new Set(happened(-1, -4, -7, -122, -9999))).toEqual(new Set(['unknown']));
  // What may be asked again was not done.
  for (const error of codes.map((code) => serverError(code, asked))) {
    if (error.retryable) expect(error.happened).toBe('no');
  }
});
