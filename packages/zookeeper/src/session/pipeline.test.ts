import { isQuorateError, QuorateError } from '@quorate/core';
import { describe, expect, test } from 'vitest';
import { ConnectionLostError } from '../errors/connection-lost-error.ts';
import { SessionClosedError } from '../errors/session-closed-error.ts';
import { SessionLostError } from '../errors/session-lost-error.ts';
import { Reader } from '../jute/reader.ts';
import { Writer } from '../jute/writer.ts';
import type { Operation } from '../protocol/operation.ts';
import { Liveness } from './liveness.ts';
import { Pipeline } from './pipeline.ts';
import type { RequestOptions } from './request.ts';
import type { Wire } from './wire.ts';

const read: Operation<string> = {
  operation: 'exists',
  path: '/r',
  code: 3,
  writes: false,
  encode: (writer) => writer.string('/r'),
  decode: (reader) => reader.string(),
};
const write: Operation<string> = { ...read, operation: 'set', path: '/w', code: 5, writes: true };

/** A wire that keeps what was sent: what a connection does at which moment is chosen by the test. */
class Recorder {
  congested = false;
  readonly sent: { xid: number; code: number; body: string }[] = [];

  send(_: number, encode: (writer: Writer) => void): number {
    const writer = new Writer();
    encode(writer);
    const reader = new Reader(writer.take());
    const bytes = reader.remaining;
    this.sent.push({ xid: reader.int(), code: reader.int(), body: reader.string() });
    return bytes;
  }

  get wire(): Wire {
    return this as unknown as Wire;
  }
}

function pipeline(xid = 0): Pipeline {
  const liveness = new Liveness();
  liveness.established(60_000, performance.now(), true);
  return new Pipeline({ maxRequestSize: 1000, maxReplySize: 1000 }, liveness, xid);
}

function answer(to: Pipeline, xid: number, text = 'ok', err = 0): void {
  to.replied({ xid, zxid: 5n, err }, new Reader(new Writer().string(text).take()));
}

/** What a promise has come to, once everything that is due has run. */
async function outcome(promise: Promise<unknown>): Promise<string> {
  const pending = new Promise((resolve) => setImmediate(resolve, 'pending'));
  return Promise.race([promise, pending]).then(
    (value) => String(value),
    (error) => (isQuorateError(error) ? error.code : String(error)),
  );
}

type Kind = 'read' | 'write';
type When = 'before it is sent' | 'after it is sent';
type What = 'the connection ends' | 'the session is lost' | 'the session is closed' | 'the wait is aborted';

/** The table of the README, line by line. */
const table: [Kind, When, What, string][] = [
  ['read', 'before it is sent', 'the connection ends', 'asked again'],
  ['read', 'after it is sent', 'the connection ends', 'asked again'],
  ['write', 'before it is sent', 'the connection ends', 'asked again'],
  ['write', 'after it is sent', 'the connection ends', 'ambiguous'],
  ['read', 'before it is sent', 'the session is lost', 'session-lost'],
  ['read', 'after it is sent', 'the session is lost', 'session-lost'],
  ['write', 'before it is sent', 'the session is lost', 'session-lost'],
  ['write', 'after it is sent', 'the session is lost', 'ambiguous'],
  ['read', 'before it is sent', 'the session is closed', 'session-closed'],
  ['read', 'after it is sent', 'the session is closed', 'answered'],
  ['write', 'before it is sent', 'the session is closed', 'session-closed'],
  ['write', 'after it is sent', 'the session is closed', 'answered'],
  ['read', 'before it is sent', 'the wait is aborted', 'Error: enough'],
  ['read', 'after it is sent', 'the wait is aborted', 'Error: enough'],
  ['write', 'before it is sent', 'the wait is aborted', 'Error: enough'],
  ['write', 'after it is sent', 'the wait is aborted', 'ambiguous'],
];

describe.each(table)('a %s, %s, when %s', (kind, when, what, expected) => {
  test(`is ${expected}`, async () => {
    const requests = pipeline();
    const wire = new Recorder();
    const controller = new AbortController();
    if (when === 'after it is sent') requests.attach(wire.wire);
    const promise = requests.submit(kind === 'read' ? read : write, { signal: controller.signal });
    if (what === 'the connection ends') requests.detach(new ConnectionLostError('zk1', 'reset'));
    else if (what === 'the session is lost') requests.end(new SessionLostError('expired'));
    else if (what === 'the session is closed') requests.rejectWaiting(new SessionClosedError());
    else controller.abort(new Error('enough'));
    if (expected === 'asked again') {
      const next = new Recorder();
      requests.attach(next.wire);
      expect(next.sent.map(({ code }) => code)).toEqual([kind === 'read' ? 3 : 5]);
      answer(requests, next.sent[0]?.xid ?? 0);
      expect(await outcome(promise)).toBe('ok');
    } else if (expected === 'answered') {
      answer(requests, 1);
      expect(await outcome(promise)).toBe('ok');
    } else expect(await outcome(promise)).toBe(expected);
    expect(requests.size).toBe(what === 'the wait is aborted' ? 1 : 0);
  });
});

test('what is asked again goes out ahead of what waited, in the order of the calls', () => {
  const requests = pipeline();
  const first = new Recorder();
  requests.attach(first.wire);
  const body = (text: string): Operation<string> => ({ ...read, encode: (writer) => writer.string(text) });
  void requests.submit(body('1'), {});
  void requests.submit(body('2'), {});
  requests.detach(new ConnectionLostError('zk1', 'reset'));
  void requests.submit(body('3'), {});
  const second = new Recorder();
  requests.attach(second.wire);
  expect(second.sent.map((each) => each.body)).toEqual(['1', '2', '3']);
});

test('what was aborted is neither sent nor asked again, and its reply is taken off the wire', async () => {
  const requests = pipeline();
  const wire = new Recorder();
  requests.attach(wire.wire);
  const controller = new AbortController();
  requests.submit(read, { signal: controller.signal }).catch(() => undefined);
  const after = requests.submit(read, {});
  controller.abort();
  answer(requests, 1);
  answer(requests, 2, 'mine');
  expect(await outcome(after)).toBe('mine');
  requests.detach(new ConnectionLostError('zk1', 'reset'));
  const again = new AbortController();
  requests.submit(read, { signal: again.signal }).catch(() => undefined);
  again.abort();
  const next = new Recorder();
  requests.attach(next.wire);
  expect(next.sent).toEqual([]);
});

test('an aborted write that somebody undoes is handed over when its fate is known', async () => {
  for (const [fate, expected] of [
    ['answer', 'done'],
    ['loss', 'ambiguous'],
  ] as const) {
    const requests = pipeline();
    requests.attach(new Recorder().wire);
    const controller = new AbortController();
    const orphans: unknown[] = [];
    const options: RequestOptions<string> = { signal: controller.signal, orphaned: (done) => orphans.push(done) };
    const promise = requests.submit(write, options);
    // Others may see it before it is undone, whatever the reason says.
    controller.abort(new QuorateError('enough', { code: 'fenced', happened: 'no', retryable: true }));
    await expect(promise).rejects.toMatchObject({ code: 'fenced', happened: 'unknown', retryable: false });
    if (fate === 'answer') answer(requests, 1, 'done');
    else requests.detach(new ConnectionLostError('zk1', 'reset'));
    expect(orphans.map((each) => (isQuorateError(each) ? each.code : each))).toEqual([expected]);
  }
});

test('congestion holds requests back, in order, until the connection drains', () => {
  const requests = pipeline();
  const wire = new Recorder();
  requests.attach(wire.wire);
  wire.congested = true;
  void requests.submit(read, {});
  wire.congested = false;
  void requests.submit(write, {});
  expect(wire.sent).toEqual([]);
  requests.pump();
  expect(wire.sent.map(({ code }) => code)).toEqual([3, 5]);
});

test('request numbers begin again at 1 after the largest', async () => {
  const requests = pipeline(2 ** 31 - 2);
  const wire = new Recorder();
  requests.attach(wire.wire);
  const both = [requests.submit(read, {}), requests.submit(read, {})];
  expect(wire.sent.map(({ xid }) => xid)).toEqual([2 ** 31 - 1, 1]);
  answer(requests, 2 ** 31 - 1);
  answer(requests, 1);
  expect(await Promise.all(both)).toEqual(['ok', 'ok']);
});

test('a reply out of order is a malformed frame, not somebody else’s answer', async () => {
  const requests = pipeline();
  requests.attach(new Recorder().wire);
  const [first, second] = [requests.submit(read, {}), requests.submit(read, {})];
  expect(() => answer(requests, 2)).toThrow('out of order');
  expect([await outcome(first), await outcome(second)]).toEqual(['pending', 'pending']);
});

test('a reply that cannot be read fails a read, leaves a write ambiguous, and ends the connection', async () => {
  for (const [operation, expected] of [
    [read, 'malformed-frame'],
    [write, 'ambiguous'],
  ] as const) {
    const requests = pipeline();
    requests.attach(new Recorder().wire);
    const promise = requests.submit(operation, {});
    const body = new Reader(Buffer.from([0, 0, 0, 9]));
    expect(() => requests.replied({ xid: 1, zxid: 1n, err: 0 }, body)).toThrow('malformed');
    expect(await outcome(promise)).toBe(expected);
  }
});

test('a reply too large fails its own request, which is not asked again', async () => {
  const requests = pipeline();
  requests.attach(new Recorder().wire);
  const [large, next] = [requests.submit(read, {}), requests.submit(read, {})];
  requests.tooLarge(5000, 1);
  requests.detach(new ConnectionLostError('zk1', 'too large'));
  const wire = new Recorder();
  requests.attach(wire.wire);
  expect(await outcome(large)).toBe('reply-too-large');
  expect(wire.sent).toHaveLength(1);
  answer(requests, wire.sent[0]?.xid ?? 0);
  expect(await outcome(next)).toBe('ok');
});

test('a request too large is refused, connected or not, and leaves no bytes behind', async () => {
  const large: Operation<string> = { ...write, encode: (writer) => writer.bytes(Buffer.alloc(2000)) };
  const requests = pipeline();
  expect(await outcome(requests.submit(large, {}))).toBe('invalid-argument');
  const wire = new Recorder();
  requests.attach(wire.wire);
  expect(await outcome(requests.submit(large, {}))).toBe('invalid-argument');
  expect(wire.sent).toEqual([]);
});

test('of very many requests a few are under way at first, then as many as are answered at once, a thousand at most', async () => {
  const wire = new Recorder();
  const requests = pipeline();
  requests.attach(wire.wire);
  const all = Array.from({ length: 2_500 }, () => requests.submit(write, {}));
  expect(wire.sent.length).toBeLessThan(1_000);
  let most = 0;
  for (let xid = 1; xid <= 2_500; xid += 1) {
    most = Math.max(most, wire.sent.length - xid + 1);
    answer(requests, xid);
  }
  expect(most).toBe(1_000);
  expect(wire.sent.map(({ xid }) => xid)).toEqual(all.map((_, index) => index + 1));
  expect(await Promise.all(all)).toHaveLength(2_500);
});

test('what is urgent goes ahead of what waits, and waits itself where there is no connection', () => {
  const wire = new Recorder();
  const requests = pipeline();
  void requests.submit(read, {});
  void requests.submit(write, { urgent: true });
  requests.attach(wire.wire);
  expect(wire.sent.map(({ code }) => code)).toEqual([3, 5]);
  for (let count = 0; count < 2_000; count += 1) void requests.submit(read, {});
  const before = wire.sent.length;
  expect(before).toBeLessThan(1_000);
  // A frame that is small hardly adds to what the connection has to carry.
  wire.congested = true;
  void requests.submit(write, { urgent: true });
  expect(wire.sent.slice(before).map(({ code }) => code)).toEqual([5]);
});

test('one that rests sends nothing more, and tells when all that was sent is answered', async () => {
  const requests = pipeline();
  const first = new Recorder();
  requests.attach(first.wire);
  const [sent, also] = [requests.submit(write, {}), requests.submit(read, {})];
  const rested = requests.rest().then(() => 'rested');
  const waits = requests.submit(write, {});
  answer(requests, 1);
  expect(await outcome(sent)).toBe('ok');
  expect(await outcome(rested)).toBe('pending');
  answer(requests, 2);
  expect(await outcome(also)).toBe('ok');
  expect(await outcome(rested)).toBe('rested');
  expect(first.sent).toHaveLength(2);
  expect(await outcome(requests.rest().then(() => 'at once'))).toBe('at once');
  requests.detach(new ConnectionLostError('a:1', 'left'));
  const second = new Recorder();
  requests.attach(second.wire);
  expect(second.sent).toHaveLength(1);
  answer(requests, 3);
  expect(await outcome(waits)).toBe('ok');
});

test('one whose connection ends while it rests does not rest for ever', async () => {
  const requests = pipeline();
  requests.attach(new Recorder().wire);
  const sent = requests.submit(write, {});
  const rested = requests.rest().then(() => 'rested');
  requests.detach(new ConnectionLostError('a:1', 'gone'));
  expect(await outcome(rested)).toBe('rested');
  expect(await outcome(sent)).toBe('ambiguous');
});
