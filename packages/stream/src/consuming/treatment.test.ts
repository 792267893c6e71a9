import { expect, test } from 'vitest';
import { Codec } from '../topic/codec.ts';
import { json } from '../topic/format.ts';
import type { ValueSchema } from '../topic/topic-options.ts';
import { versions } from '../topic/versions.ts';
import { Entry } from './entry.ts';
import { checkRetry } from './retry.ts';
import { noStats } from './stats.ts';
import { type Handler, Treatment, type TreatmentParts } from './treatment.ts';

const partition = { topic: 'rides', partition: 0 };
const { signal } = new AbortController();
let offset = 0n;

function entry(headers: Record<string, string> = {}): Entry {
  offset += 1n;
  const list = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);
  return new Entry({ key: null, value: Buffer.from('1'), headers: list, timestamp: 1, offset }, 1);
}

function treatment(handler: Handler<unknown, unknown>, parts: Partial<TreatmentParts> = {}, value?: ValueSchema) {
  const stats = { ...noStats };
  const made = new Treatment({
    codec: new Codec('rides', undefined, value && versions(1, value as never), json),
    handler,
    retry: checkRetry({ attempts: 1 }),
    later: undefined,
    burial: undefined,
    seen: undefined,
    fences: undefined,
    transactional: false,
    group: 'shop',
    tracing: undefined,
    stats,
    ...parts,
  });
  return { stats, of: async (one: Entry) => made.of(partition, one, signal) };
}

const revoked = Proxy.revocable({}, {});
revoked.revoke();
const odd: [string, unknown][] = [
  ['an object without a prototype', Object.create(null)],
  ['a text that throws', { toString: () => raise(new Error('no text')) }],
  ['an error without a message', Object.defineProperty(new Error(), 'message', { get: () => raise(new Error('no')) })],
  ['a proxy that was revoked', revoked.proxy],
  ['a symbol', Symbol('odd')],
  ['nothing', undefined],
];

function raise(error: unknown): never {
  throw error;
}

test.each(odd)('whatever a handler throws, the message has failed: %s', async (_, thrown) => {
  const handlers = [() => raise(thrown), async () => raise(thrown)];
  for (const handler of handlers) {
    const { stats, of } = treatment(handler);
    const one = entry();
    expect(await of(one)).toBe('done');
    expect(one.dead).toEqual({ reason: 'failed', error: expect.any(String) });
    expect(stats).toMatchObject({ failures: 1, dropped: 1 });
  }
});

test('what a handler gives back and cannot be looked at has failed', async () => {
  const { stats, of } = treatment(() => Object.defineProperty({}, 'then', { get: () => raise(new Error('no')) }));
  expect(await of(entry())).toBe('done');
  expect(stats).toMatchObject({ failures: 1, dropped: 1 });
});

test.each([
  ['waits', async () => ({ value: 1 })],
  ['gives nothing', () => undefined],
  ['throws what has no text', () => raise(Object.create(null))],
])('a message whose schema %s is given up', async (_, validate) => {
  const schema = { '~standard': { version: 1, vendor: 'test', validate } } as unknown as ValueSchema;
  const { stats, of } = treatment(() => {}, {}, schema);
  const one = entry();
  expect(await of(one)).toBe('done');
  expect(one.dead).toEqual({ reason: 'invalid-value', error: expect.any(String) });
  expect(stats).toMatchObject({ handled: 0, dropped: 1 });
});
