import { expect, test } from 'vitest';
import { type Asked, failure, type PackageError } from './failure.ts';

const asked = { operation: 'set a', address: 'http://127.0.0.1:8500', maxReplySize: 100, whole: false };

function answered(statusCode: number, body: string, writes: boolean): unknown {
  const error = Object.assign(new Error('refused'), { response: { statusCode, body } });
  return failure(error as unknown as PackageError, { ...asked, writes } satisfies Asked, undefined);
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
  expect(answered(500, text, true)).toMatchObject({ code: 'ambiguous', retryable: false, happened: 'unknown' });
  expect(answered(500, text, false)).toMatchObject({ code: 'consul-error', retryable: true });
});

test.each([
  [500, 'No cluster leader'],
  [500, 'rpc error getting client: failed to get conn: dial tcp 127.0.0.1:8300: connect: connection refused'],
  [500, 'rpc error making call: rpc error making call: No cluster leader'],
  [500, 'node is not the leader'],
  [500, 'rpc error making call: raft apply failed: leadership transfer in progress'],
  [500, 'Raft leader not found in server lookup mapping'],
  [500, 'No known Consul servers'],
  [500, 'No path to datacenter'],
  [500, 'Remote DC has no server currently reachable'],
  [429, 'rate limit exceeded'],
  [503, 'rate limit exceeded for operation that can only be performed by the leader, try again later'],
])('a write did not happen, and may be tried again, when Consul answers %i: %s', (status, text) => {
  expect(answered(status, text, true)).toMatchObject({ code: 'consul-error', retryable: true, happened: 'no' });
});

// What Envoy, nginx and HAProxy say when the request was passed on and the connection broke before its answer.
test.each([
  [503, 'upstream connect error or disconnect/reset before headers. reset reason: connection termination'],
  // The first attempt may have arrived.
  [
    503,
    'upstream connect error or disconnect/reset before headers. retried and the latest reset reason: connection refused',
  ],
  // With `local_reply_config` Envoy words it as it was told to.
  [503, 'Error 503: upstream connect error or disconnect/reset before headers. reset reason: Connection refused'],
  [503, '{"code":503,"message":"upstream connect error, transport failure reason: Connection refused"}'],
  [504, '{"message":"The upstream server is timing out; backend connection refused"}'],
  [503, 'service not ready'],
  [502, 'Error: No cluster leader could be reached'],
  [503, 'upstream connect error, transport failure reason: delayed connect error: Permission denied'],
  [502, 'Invalid response from upstream'],
  [503, '<html><body><h1>503 Service Unavailable</h1></body></html>'],
  [500, '<html><body><h1>500 Internal Server Error</h1></body></html>'],
  [503, 'Service Unavailable'],
  [502, 'Bad Gateway'],
  [504, 'upstream request timeout'],
  [408, 'Request Time-out'],
  [499, 'Client Closed Request'],
])('a write is ambiguous when a proxy answers %i: %s', (status, text) => {
  expect(answered(status, text, true)).toMatchObject({ code: 'ambiguous', retryable: false, happened: 'unknown' });
  expect(answered(status, text, false)).toMatchObject({ code: 'consul-error', retryable: true, happened: 'unknown' });
});

test("a page that is not Consul's is not taken for a refusal", () => {
  expect(answered(400, '<html>Bad Request</html>', true)).toMatchObject({ retryable: false, happened: 'unknown' });
});

function broken(code: string, syscall: string): unknown {
  return failure(Object.assign(new Error(code), { code, syscall }), { ...asked, writes: true }, undefined);
}

// The kernel reports it of a connection in use after the request was sent: that cannot be caused here without root.
test.each(['EHOSTUNREACH', 'ENETUNREACH'])('%s is certain only of a connection that was not made', (code) => {
  expect(broken(code, 'connect')).toMatchObject({ code: 'agent-unreachable', happened: 'no' });
  expect(broken(code, 'read')).toMatchObject({ code: 'ambiguous', happened: 'unknown' });
});

test.each([
  [400, 'Bad request'],
  [403, 'Permission denied'],
  [500, 'rpc error making call: ACL not found'],
  [500, 'invalid session "x"'],
  [500, 'missing session'],
])('a write was refused when Consul answers %i: %s', (status, text) => {
  expect(answered(status, text, true)).toMatchObject({ retryable: false, happened: 'no' });
});

test('what we do not know is not taken for a refusal', () => {
  expect(answered(500, 'runtime error: index out of range', true)).toMatchObject({
    code: 'consul-error',
    retryable: false,
    happened: 'unknown',
  });
});

test('a 500 in words that only resemble those of Consul is not taken for a write that did not happen', () => {
  const text = 'Error 500: delayed connect error: Connection refused';
  expect(answered(500, text, true)).toMatchObject({ retryable: false, happened: 'unknown' });
});
