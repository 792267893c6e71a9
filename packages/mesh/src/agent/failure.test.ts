import { expect, test } from 'vitest';
import { type Asked, failure, type PackageError } from './failure.ts';

const asked = { operation: 'set a', address: 'http://127.0.0.1:8500', maxReplySize: 100, whole: false };

function answered(statusCode: number, body: string, repeatable: boolean): unknown {
  const error = Object.assign(new Error('refused'), { response: { statusCode, body } });
  return failure(error as unknown as PackageError, { ...asked, repeatable } satisfies Asked, undefined);
}

// What Consul 1.22 and its libraries say (agent/structs/errors.go, hashicorp/raft, agent/pool, net/rpc).
test.each([
  'rpc error making call: leadership lost while committing log',
  'rpc error making call: EOF',
  'rpc error making call: write tcp 127.0.0.1:1->127.0.0.1:2: write: broken pipe',
  'rpc error making call: read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer',
  'rpc error making call: i/o deadline reached',
  'raft is already shutdown',
])('a write is ambiguous when Consul says: %s', (text) => {
  expect(answered(500, text, false)).toMatchObject({ code: 'ambiguous', retryable: false, happened: 'unknown' });
  expect(answered(500, text, true)).toMatchObject({ code: 'consul-error', retryable: true });
});

test.each([
  [500, 'No cluster leader'],
  [500, 'rpc error getting client: failed to get conn: dial tcp 127.0.0.1:8300: connect: connection refused'],
  [500, 'node is not the leader'],
  [429, 'rate limit exceeded'],
])('a write did not happen, and may be tried again, when Consul answers %i: %s', (status, text) => {
  expect(answered(status, text, false)).toMatchObject({ code: 'consul-error', retryable: true, happened: 'no' });
});

test.each([
  [400, 'Bad request'],
  [403, 'Permission denied'],
  [500, 'invalid session "x"'],
])('a write was refused when Consul answers %i: %s', (status, text) => {
  expect(answered(status, text, false)).toMatchObject({ retryable: false, happened: 'no' });
});

test('what we do not know is not taken for a refusal', () => {
  expect(answered(500, 'runtime error: index out of range', false)).toMatchObject({
    code: 'consul-error',
    retryable: false,
    happened: 'unknown',
  });
});
