import { expect, test } from 'vitest';
import { neverSent } from './never-sent.ts';

const failed = (code: string, syscall?: string): Error => Object.assign(new Error(code), { code, syscall });

test('nothing was sent when connecting failed, to every address', () => {
  expect(neverSent(failed('ECONNREFUSED', 'connect'))).toBe(true);
  expect(neverSent(failed('EHOSTUNREACH', 'connect'))).toBe(true);
  expect(neverSent(failed('ENOTFOUND', 'getaddrinfo'))).toBe(true);
  expect(neverSent(failed('UND_ERR_CONNECT_TIMEOUT'))).toBe(true);
  const each = [failed('ECONNREFUSED', 'connect'), failed('ENETUNREACH', 'connect')];
  expect(neverSent(new AggregateError(each))).toBe(true);
});

test('it may have been sent when a connection in use failed, or by what is not known', () => {
  expect(neverSent(failed('EHOSTUNREACH', 'read'))).toBe(false);
  expect(neverSent(failed('ENETUNREACH', 'write'))).toBe(false);
  expect(neverSent(failed('ECONNRESET', 'connect'))).toBe(false);
  expect(neverSent(new AggregateError([failed('ECONNREFUSED', 'connect'), failed('ECONNRESET', 'read')]))).toBe(false);
  expect(neverSent(new AggregateError([]))).toBe(false);
  expect(neverSent(undefined)).toBe(false);
});
