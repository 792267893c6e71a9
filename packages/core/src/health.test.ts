import { expect, test } from 'vitest';
import { combinedHealth, type Health } from './index.ts';

const pass: Health = { status: 'pass' };
const warn: Health = { status: 'warn', detail: 'one of three members is away' };
const fail: Health = { status: 'fail' };

test.each([
  [{}, 'pass'],
  [{ a: pass }, 'pass'],
  [{ a: pass, b: warn }, 'warn'],
  [{ a: fail, b: warn, c: pass }, 'fail'],
] as const)('a whole is as bad as its worst part', (parts, status) => {
  expect(combinedHealth(parts)).toEqual({ status, parts });
});
