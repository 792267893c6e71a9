import { protocolErrorsCodesById } from '@platformatic/kafka';
import { expect, test } from 'vitest';
import { nameOf } from './error-names.ts';

test('every number has the name that others give it', () => {
  for (const [code, name] of Object.entries(protocolErrorsCodesById))
    expect([code, nameOf(Number(code))]).toEqual([code, name]);
});

test.for([
  [-1, 'UNKNOWN_SERVER_ERROR'],
  [0, 'NONE'],
  [99, 'POSITION_OUT_OF_RANGE'],
  [100, 'UNKNOWN_TOPIC_ID'],
  [129, 'REBOOTSTRAP_REQUIRED'],
  [133, 'SHARE_SESSION_LIMIT_REACHED'],
  [134, 'error 134'],
  [-2, 'error -2'],
] as const)('%d is %s', ([code, name]) => {
  expect(nameOf(code)).toBe(name);
});
