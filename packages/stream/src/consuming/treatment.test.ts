import { expect, test } from 'vitest';
import { RefusedError } from '../errors/refused-error.ts';
import { Codec } from '../topic/codec.ts';
import { json } from '../topic/format.ts';
import type { ValueSchema } from '../topic/topic-options.ts';
import { versions } from '../topic/versions.ts';
import { Entry } from './entry.ts';
import type { Fences } from './fences.ts';
import type { Later } from './later.ts';
import { checkRetry } from './retry.ts';
import { Seen } from './seen.ts';
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
  return { stats, of: async (one: Entry, until = signal) => made.of(partition, one, until), made };
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

test('what comes twice at the same time waits for the first, and is left out when that is done', async () => {
  const ends: PromiseWithResolvers<void>[] = [];
  const handler = (): Promise<void> => {
    const end = Promise.withResolvers<void>();
    ends.push(end);
    return end.promise;
  };
  const { stats, of } = treatment(handler, { seen: new Seen(10), retry: checkRetry({ attempts: 2 }) });
  const [one, other] = [entry({ 'quorate-id': 'a' }), entry({ 'quorate-id': 'a' })];
  const first = of(one);
  expect(await of(other)).toEqual({ retryIn: expect.any(Number) });
  ends[0]?.reject(new Error('not yet'));
  expect(await first).toEqual({ retryIn: expect.any(Number) });
  // The first waits for its next attempt: now it is the other's turn.
  const second = of(other);
  expect(await of(one)).toEqual({ retryIn: expect.any(Number) });
  ends[1]?.resolve();
  expect(await second).toBe('done');
  expect(await of(one)).toBe('done');
  expect(ends).toHaveLength(2);
  expect(stats).toMatchObject({ handled: 1, failures: 1, duplicates: 1 });
});

test('also when both wait for their fences', async () => {
  const admitted = Promise.withResolvers<boolean>();
  const fences = { admits: () => admitted.promise } as unknown as Fences;
  let runs = 0;
  const handler = (): void => {
    runs += 1;
  };
  const { stats, of } = treatment(handler, { seen: new Seen(10), fences });
  const twice = [1, 2].map(() => of(entry({ 'quorate-id': 'a', 'quorate-fence': '1' })));
  admitted.resolve(true);
  expect(await Promise.all(twice)).toEqual(['done', 'done']);
  expect(runs).toBe(1);
  expect(stats).toMatchObject({ handled: 1, duplicates: 1 });
});

test('whoever is told to stop and does has not failed: it is for whoever has the partition next', async () => {
  const told = new AbortController();
  const { stats, of } = treatment(
    (_, context) =>
      new Promise((_, reject) =>
        context.signal.addEventListener('abort', () => reject(context.signal.reason), { once: true }),
      ),
    { seen: new Seen(10) },
  );
  const one = entry({ 'quorate-id': 'a' });
  const outcome = of(one, told.signal);
  told.abort(new Error('the partition goes to somebody else'));
  expect(await outcome).toBe('given-back');
  expect([one.failures, one.dead, stats.failures, stats.dropped]).toEqual([0, undefined, 0, 0]);
});

test('a message that has failed is no duplicate of itself', async () => {
  let runs = 0;
  const handler = (): void => {
    runs += 1;
    if (runs === 1) raise(new Error('not yet'));
  };
  const { stats, of } = treatment(handler, { seen: new Seen(10), retry: checkRetry({ attempts: 2 }) });
  const one = entry({ 'quorate-id': 'a' });
  expect(await of(one)).toEqual({ retryIn: expect.any(Number) });
  expect(await of(one)).toBe('done');
  expect(await of(entry({ 'quorate-id': 'a' }))).toBe('done');
  expect(runs).toBe(2);
  expect(stats).toMatchObject({ handled: 1, failures: 1, duplicates: 1 });
});

test('a failure after which a message could not be put off does not count: it has as many attempts as before', async () => {
  const refusals = [new Error('no leader'), new Error('no leader')];
  const put: number[] = [];
  const later = {
    welcome: () => 0,
    add: async (_: unknown, { failures }: Entry) => {
      const refusal = refusals.shift();
      if (refusal) throw refusal;
      put.push(failures);
    },
  } as unknown as Later;
  const retry = checkRetry({ attempts: 2, outOfOrder: true, delay: 7 });
  const { of } = treatment(() => raise(new Error('no')), { later, retry });
  const one = entry();
  expect([await of(one), await of(one), await of(one)]).toEqual([{ retryIn: 7 }, { retryIn: 7 }, 'done']);
  expect([one.dead, put]).toEqual([undefined, [1]]);
});

test('what came of a message is not taken: it is given up, once; when it cannot be, it stays what it was', async () => {
  const output = { topic: 'out', partition: 0, record: { key: null, value: null, headers: [], timestamp: 0 } };
  const letter = { ...output, topic: 'rides.dead' };
  const refusals = [new Error('no leader')];
  const add = async (_: unknown, one: Entry): Promise<void> => {
    const refusal = refusals.shift();
    if (refusal) throw refusal;
    one.outputs = [letter];
  };
  const { made, stats } = treatment(() => {}, { transactional: true, burial: { add } });
  const one = entry();
  one.outputs = [output];
  const why = new RefusedError('publish to "out"', 'INVALID_TIMESTAMP');
  await expect(made.condemn(partition, one, why, signal)).rejects.toBe(why);
  expect([one.outputs, one.dead, one.failures]).toEqual([[output], undefined, 0]);
  expect(made.trouble?.message).toBe('no leader');
  await made.condemn(partition, one, why, signal);
  const dead = { reason: 'unpublishable', error: expect.stringContaining('INVALID_TIMESTAMP') };
  expect([one.outputs, one.dead, one.failures, stats.deadLetters]).toEqual([[letter], dead, 1, 1]);
  // Now it is the letter that is not taken.
  await expect(made.condemn(partition, one, why, signal)).rejects.toBe(why);
  expect([one.outputs, stats.deadLetters]).toEqual([[letter], 1]);
});
