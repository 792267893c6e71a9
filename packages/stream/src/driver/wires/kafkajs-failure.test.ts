import { inspect } from 'node:util';
import { KafkaJSConnectionError, KafkaJSSASLAuthenticationError } from 'kafkajs';
import { expect, test } from 'vitest';
import { unreachable } from '../engine/failure.ts';
import { BrokenLogin, plain, refusedLogin } from './kafkajs-failure.ts';

const secret = 'correct-horse';
const read = (error: unknown) => unreachable('publish', error, { plain, refusedLogin });
const shown = (error: unknown): string => inspect(error, { depth: 20, showHidden: true });

test('of an error of the package its words are kept', () => {
  const failed = read(
    new KafkaJSConnectionError('Connection error: ECONNREFUSED', { broker: 'a:1', code: 'ECONNREFUSED' }),
  );
  expect(failed).toMatchObject({ failure: { code: 'kafka-unreachable', happened: 'no' } });
  expect(shown(failed)).toContain('ECONNREFUSED');
});

test('an error that may hold what was to be written is not kept at all', () => {
  expect(shown(read(new TypeError(`cannot encode ${secret}`)))).not.toContain(secret);
});

test('a login that was refused is not tried again, and one during which the connection broke is', () => {
  const login = new (KafkaJSSASLAuthenticationError as new (message: string) => Error)('it failed: Connection error');
  expect(read(login)).toMatchObject({ code: 'authentication-failed', happened: 'no', retryable: false });
  expect(read(new BrokenLogin(login))).toMatchObject({ failure: { code: 'kafka-unreachable' } });
});

test('a certificate that is refused is no connection that breaks', () => {
  const refused = new KafkaJSConnectionError('Connection error', {
    broker: 'a:1',
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  });
  expect(read(refused)).toMatchObject({ code: 'authentication-failed' });
});
