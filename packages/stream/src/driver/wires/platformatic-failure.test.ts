import { inspect } from 'node:util';
import { AuthenticationError, MultipleErrors, NetworkError, ProtocolError } from '@platformatic/kafka';
import { expect, test } from 'vitest';
import { Again, unreachable } from '../engine/failure.ts';
import { plain, refusedLogin } from './platformatic-failure.ts';

const secret = 'correct-horse';
const read = (what: string, error: unknown) => unreachable(what, error, { plain, refusedLogin });
const shown = (error: unknown): string => inspect(error, { depth: 20, showHidden: true });

test('of an error of the library its words are kept, and nothing that hangs on it', () => {
  const system = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
  const refused = new NetworkError('Connection to 127.0.0.1:1 failed.', { cause: system, options: { secret } });
  const all = new MultipleErrors('Cannot connect to any broker.', [refused], { connection: { secret } });
  const failure = read('list the topics', all);
  expect(failure).toBeInstanceOf(Again);
  expect((failure as Again).failure).toMatchObject({ code: 'kafka-unreachable', happened: 'no', retryable: true });
  expect(shown(failure)).toContain('ECONNREFUSED');
  expect(shown(failure)).not.toContain(secret);
});

test('an error that may hold what was to be written is not kept at all', () => {
  expect(shown(read('publish', new TypeError(`cannot encode ${secret}`)))).not.toContain(secret);
});

test('a refused login is found however deep it is, and nobody tries it again', () => {
  const response = new ProtocolError('SASL_AUTHENTICATION_FAILED', null, { raw: secret });
  const login = new AuthenticationError('SASL authentication failed.', { cause: response });
  const failure = read('x', new NetworkError('Connection failed.', { cause: login }));
  expect(failure).toMatchObject({ code: 'authentication-failed', happened: 'no', retryable: false });
  expect(shown(failure)).not.toContain(secret);
});

test('why there is no token is told in the words of whoever was asked for it', () => {
  const cause = new Error('the token server is away');
  const login = new AuthenticationError('The SASL/OAUTHBEARER token provider threw an error.', { cause });
  const failure = read('x', new NetworkError('Connection failed.', { cause: login }));
  expect(failure).toMatchObject({ code: 'authentication-failed' });
  expect(shown(failure)).toContain('the token server is away');
});
