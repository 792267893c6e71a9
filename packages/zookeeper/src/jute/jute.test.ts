import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

test('what is written is what is read, however the buffer had to grow', () => {
  const value = fc.oneof(
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((v) => ['int', v] as const),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((v) => ['long', v] as const),
    fc.boolean().map((v) => ['bool', v] as const),
    fc.string({ unit: 'grapheme', maxLength: 300 }).map((v) => ['string', v] as const),
    fc.uint8Array({ maxLength: 3000 }).map((v) => ['bytes', v] as const),
    fc.array(fc.string()).map((v) => ['list', v] as const),
  );
  fc.assert(
    fc.property(fc.array(value), fc.integer({ min: 1, max: 64 }), (values, capacity) => {
      const writer = new Writer(capacity);
      for (const [kind, v] of values) {
        if (kind === 'int') writer.int(v);
        else if (kind === 'long') writer.long(v);
        else if (kind === 'bool') writer.bool(v);
        else if (kind === 'string') writer.string(v);
        else if (kind === 'bytes') writer.bytes(v);
        else writer.list(v, (w, s) => w.string(s));
      }
      const reader = new Reader(writer.take());
      for (const [kind, v] of values) {
        const read = kind === 'list' ? reader.list(4, (r) => r.string()) : reader[kind]();
        expect(read instanceof Buffer ? new Uint8Array(read) : read).toEqual(v);
      }
      expect(reader.remaining).toBe(0);
    }),
    { seed: 4 },
  );
});

test('bytes are a view of the frame, not a copy', () => {
  const frame = new Writer().bytes(Buffer.from('abc')).take();
  const view = new Reader(frame).bytes();
  frame[4] = 'x'.charCodeAt(0);
  expect(view.toString()).toBe('xbc');
});

test('what was taken is not overwritten by what is written next', () => {
  const writer = new Writer(16);
  writer.string('first');
  const first = writer.take();
  for (let i = 0; i < 10_000; i += 1) writer.int(i);
  expect(new Reader(first).string()).toBe('first');
});

test('a refused frame leaves no bytes behind', () => {
  const writer = new Writer().int(1);
  const start = writer.beginFrame();
  writer.string('refused');
  writer.truncate(start);
  expect(writer.int(2).take()).toEqual(Buffer.from([0, 0, 0, 1, 0, 0, 0, 2]));
});

test('null reads as empty', () => {
  const frame = Buffer.from([255, 255, 255, 255]);
  expect(new Reader(frame).string()).toBe('');
  expect(new Reader(frame).bytes()).toHaveLength(0);
  expect(new Reader(frame).list(4, (r) => r.string())).toEqual([]);
});

test.each([
  ['a length past the end of the frame', (r: Reader) => r.bytes(), [0, 0, 0, 9, 1]],
  ['a negative length', (r: Reader) => r.string(), [255, 255, 255, 254]],
  ['a list that cannot fit', (r: Reader) => r.list(4, (s) => s.string()), [127, 255, 255, 255]],
  ['an int cut short', (r: Reader) => r.int(), [0, 0, 0]],
  ['a long cut short', (r: Reader) => r.long(), [0, 0, 0, 0, 0, 0, 0]],
  ['a boolean that is not there', (r: Reader) => r.bool(), []],
])('%s is a malformed frame', (_, read, bytes) => {
  expect(() => read(new Reader(Buffer.from(bytes)))).toThrow('malformed frame');
});

test('does not read past the end of its frame into the next one', () => {
  const two = Buffer.from([0, 0, 0, 1, 0, 0, 0, 2]);
  const reader = new Reader(two, 0, 4);
  reader.int();
  expect(() => reader.int()).toThrow('malformed frame');
});
