import { InvalidArgumentError } from '@quorate/core';
import { expect, test } from 'vitest';
import type { KafkaRecord } from '../driver/record.ts';
import { InvalidMessageError } from '../errors/invalid-message-error.ts';
import { Codec, type Decoded, type Poison } from './codec.ts';
import { bytes, json } from './format.ts';
import type { Schema } from './schema.ts';
import { versions } from './versions.ts';

/** Passes objects that have all of these as numbers, and leaves everything else out. */
function numbers(...names: string[]): Schema<Record<string, unknown>, Record<string, number>> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        const given = value as Record<string, unknown> | null;
        const wrong = names.filter((name) => typeof given?.[name] !== 'number');
        if (wrong.length > 0)
          return { issues: wrong.map((name) => ({ message: 'a number was expected', path: [name] })) };
        return { value: Object.fromEntries(names.map((name) => [name, given?.[name] as number])) };
      },
    },
  };
}

const ride = versions(2, numbers('fare', 'tip'), {
  1: { schema: numbers('fare') as never, upgrade: (old: { fare: number }) => ({ fare: old.fare, tip: 0 }) },
});
const codec = new Codec('rides', undefined, ride, json);

function record(value: string | Buffer | null, headers: Record<string, string> = {}): KafkaRecord {
  return {
    key: Buffer.from('cab-1'),
    value: typeof value === 'string' ? Buffer.from(value) : value,
    headers: Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]),
    timestamp: 0,
  };
}

const read = (value: string | Buffer | null, headers?: Record<string, string>): Decoded | Poison =>
  codec.decode(record(value, headers));

test('what is written is read back, with its id, its token and its headers', () => {
  const { id, record: written } = codec.encode({
    key: 'cab-1',
    value: { fare: 5, tip: 1 },
    fence: 7n,
    headers: { traceparent: 'x', __proto__x: 'y' },
  });
  expect(codec.decode(written)).toMatchObject({ key: 'cab-1', value: { fare: 5, tip: 1 }, id, fence: 7n });
  expect((codec.decode(written) as Decoded).headers.traceparent).toBe('x');
});

test('what its readers would refuse is refused before it is sent, with the place', () => {
  expect(() => codec.encode({ key: 'a', value: { fare: 5 } })).toThrow(InvalidMessageError);
  expect(() => codec.encode({ key: 'a', value: { fare: 5 } })).toThrow(
    'rides: the value is not what the topic takes: tip: a number was expected; nothing was sent',
  );
  // It passes as it is, and not as JSON.
  expect(() => codec.encode({ key: 'a', value: { fare: Number.NaN, tip: 1 } })).toThrow('fare: a number was expected');
  expect(() => codec.encode({ key: 'a', value: undefined })).toThrow('a value that JSON knows');
  const circle: Record<string, unknown> = {};
  circle.circle = circle;
  expect(() => codec.encode({ key: 'a', value: circle })).toThrow(InvalidMessageError);
});

test('an older value is brought up, one without a version counts as of the oldest, a newer one passes when the schema lets it', () => {
  expect(read('{"fare":5}', { 'quorate-schema': '1' })).toMatchObject({ value: { fare: 5, tip: 0 } });
  expect(read('{"fare":5}')).toMatchObject({ value: { fare: 5, tip: 0 } });
  expect(read('{"fare":5,"tip":2,"surge":3}', { 'quorate-schema': '3' })).toMatchObject({ value: { fare: 5, tip: 2 } });
  expect(read('{"amount":5}', { 'quorate-schema': '3' })).toMatchObject({ poison: 'invalid-value' });
});

test.each([
  ['no value', null, {}, 'no-value'],
  ['nothing', '', {}, 'unreadable'],
  ['no JSON', '{"fare":', {}, 'unreadable'],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, 'unreadable'],
  ['another shape', '[]', { 'quorate-schema': '2' }, 'invalid-value'],
  ['another kind', '5', { 'quorate-schema': '2' }, 'invalid-value'],
  ['another content type', '{"fare":1,"tip":1}', { 'content-type': 'application/avro' }, 'content-type'],
  ['a token that is none', '{"fare":1,"tip":1}', { 'quorate-fence': '-1' }, 'invalid-header'],
  ['a version that is none', '{"fare":1,"tip":1}', { 'quorate-schema': 'two' }, 'invalid-header'],
  ['an old value that is not one', '{"tip":1}', { 'quorate-schema': '1' }, 'invalid-value'],
] as const)('%s is poison', (_, value, headers, poison) => {
  expect(read(value, headers)).toMatchObject({ poison });
});

test('a schema or an upgrade that throws refuses the value; one that waits is refused', () => {
  const thrower = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => {
        throw new Error('no');
      },
    },
  } as const;
  expect(new Codec('t', undefined, versions(1, thrower), json).decode(record('1'))).toMatchObject({
    poison: 'invalid-value',
  });
  const waiter = { '~standard': { version: 1, vendor: 'test', validate: async () => ({ value: 1 }) } } as const;
  expect(() => new Codec('t', undefined, versions(1, waiter), json).encode({ value: 1 })).toThrow(InvalidArgumentError);
  for (const nothing of [undefined, null, 5]) {
    const silent = { '~standard': { version: 1, vendor: 'test', validate: () => nothing as never } } as const;
    const quiet = new Codec('t', undefined, versions(1, silent), json);
    expect(quiet.decode(record('1'))).toMatchObject({ poison: 'invalid-value' });
    expect(() => quiet.encode({ value: 1 })).toThrow('the schema gave no result');
  }
});

test('an upgrade that waits refuses the value, and ends no process when it fails later', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  const lenient: Schema<unknown, unknown> = {
    '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
  };
  const failing = async (): Promise<never> => {
    throw new Error('later');
  };
  for (const upgrade of [async (old: unknown) => old, failing]) {
    const waiting = new Codec('t', undefined, versions(2, lenient, { 1: { schema: lenient as never, upgrade } }), json);
    expect(waiting.decode(record('1'))).toMatchObject({
      poison: 'invalid-value',
      detail: 'the upgrade from version 1 gave a promise',
    });
  }
  // Rejections that nobody handles are told after the microtasks.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

test('half a character is refused: in UTF-8 it is another one, and two keys would be the same', () => {
  const value = { fare: 1, tip: 1 };
  const half = 'a\ud801';
  expect(() => codec.encode({ value, key: half })).toThrow('key');
  expect(() => codec.encode({ value, id: half })).toThrow('id');
  expect(() => codec.encode({ value, headers: { a: half } })).toThrow('headers');
  expect(() => codec.encode({ value, headers: { [half]: 'a' } })).toThrow('headers');
  expect(codec.encode({ value, key: 'a\ud801\udc01', headers: { a: '\u{1f695}' } }).record.key?.toString()).toBe(
    'a\u{10401}',
  );
});

test('keys are text: a schema for them sees the text, and what it refuses is refused or poison', () => {
  const whole: Schema<string, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (text) => (/^\d+$/.test(String(text)) ? { value: Number(text) } : { issues: [{ message: 'digits' }] }),
    },
  };
  const keyed = new Codec('cabs', whole, undefined, json);
  const { record: written } = keyed.encode({ key: 42, value: 1 });
  expect(written.key?.toString()).toBe('42');
  expect(keyed.decode(written)).toMatchObject({ key: 42 });
  expect(() => keyed.encode({ key: 'x', value: 1 })).toThrow('cabs: the key is not what the topic takes: digits');
  expect(() => keyed.encode({ value: 1 })).toThrow(InvalidArgumentError);
  expect(keyed.decode(record('1'))).toMatchObject({ poison: 'invalid-key' });
  expect(keyed.decode({ ...record('1'), key: null })).toMatchObject({ poison: 'invalid-key' });
  expect(codec.decode({ ...record('{"fare":1}'), key: Buffer.from([0xff]) })).toMatchObject({ poison: 'invalid-key' });
});

test('headers of ours cannot be given, nor what is no text', () => {
  const headers = (given: Record<string, unknown>) => (): unknown =>
    codec.encode({ value: { fare: 1, tip: 1 }, headers: given as Record<string, string> });
  for (const wrong of [new Map([['a', 'b']]), new Set(['a']), ['a'], 'ab', 5, null, new Date()])
    expect(headers(wrong as never), String(wrong)).toThrow('headers');
  expect(headers(Object.assign(Object.create(null), { a: 'b' }))).not.toThrow();
  for (const wrong of [{ 'quorate-id': 'x' }, { 'content-type': 'x' }, { '': 'x' }, { a: 5 }])
    expect(headers(wrong)).toThrow(InvalidArgumentError);
  expect(() => codec.encode({ value: { fare: 1, tip: 1 }, fence: -1n })).toThrow('fence');
  expect(() => codec.encode({ value: { fare: 1, tip: 1 }, id: '' })).toThrow('id');
});

test('bytes go as they are', () => {
  const raw = new Codec('raw', undefined, undefined, bytes as never);
  const { record: written } = raw.encode({ value: Uint8Array.of(1, 2, 3) });
  expect(raw.decode(written)).toMatchObject({ value: Buffer.from([1, 2, 3]) });
  expect(() => raw.encode({ value: 'text' })).toThrow(InvalidMessageError);
});

test('a header by the name of a prototype is a header', () => {
  const decoded = read('{"fare":1}', JSON.parse('{"__proto__":"x","constructor":"y"}')) as Decoded;
  expect(Object.entries(decoded.headers)).toContainEqual(['__proto__', 'x']);
  expect(Object.getPrototypeOf(decoded.headers)).toBe(null);
});
