import { inspect } from 'node:util';
import { isQuorateError } from '@quorate/core';
import { expect, test } from 'vitest';
import { checkOptions, credentialBytes } from './options.ts';

test('fills in the defaults', () => {
  expect(checkOptions({})).toMatchObject({ sessionTimeout: 10_000, timeout: 30_000, auth: [], readOnly: false });
});

test.each([
  ['sessionTimeout', '10s'],
  ['sessionTimeout', 1.5],
  ['sessionTimeout', -1],
  ['sessionTimeout', 2 ** 31],
  ['connectTimeout', 0],
  ['timeout', Number.NaN],
  ['readOnly', 'yes'],
  ['serverVersion', 3.8],
  ['serverVersion', 'v3.8'],
  ['serverVersion', '3'],
  ['followReconfig', 1],
  ['tokenEpoch', -1],
  ['tokenEpoch', 0.5],
  ['tokenEpoch', 32_768],
  ['tokenEpoch', '1'],
  ['maxReplySize', 1],
  ['maxRequestSize', Infinity],
  ['tls', 'on'],
  ['signal', {}],
  ['auth', 'digest'],
  ['sasl', { mechanism: 'GSSAPI' }],
])('refuses %s: %j, naming it', (name, value) => {
  expect(() => checkOptions({ [name]: value })).toThrow(new RegExp(`^${name}`));
});

test('refuses an option it does not know: a misspelt sessionTimeout must not pass for the default', () => {
  expect(() => checkOptions({ sesionTimeout: 5 } as never)).toThrow('options.sesionTimeout: expected one of');
});

test.each([
  { auth: { scheme: 'digest', user: 'a:b', password: 'hunter2' } },
  { auth: { scheme: 'digest', user: '', password: 'hunter2' } },
  { auth: { scheme: '', credentials: 'hunter2' } },
  { auth: ['hunter2'] },
  { sasl: { mechanism: 'DIGEST-MD5', user: '', password: 'hunter2' } },
])('an error about %j shows no secret', (options) => {
  try {
    checkOptions(options as never);
    expect.unreachable();
  } catch (error) {
    expect(isQuorateError(error, 'invalid-argument')).toBe(true);
    expect(inspect(error)).not.toContain('hunter2');
  }
});

test('digest credentials are user:password', () => {
  expect(credentialBytes({ scheme: 'digest', user: 'u', password: 'p:q' }).toString()).toBe('u:p:q');
});
