import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

const int = (bits: number): fc.Arbitrary<number> => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const text = fc.string({ unit: 'binary', maxLength: 300 });
// Around the length from which bytes are not copied, and far more than the first page holds.
const bytes: fc.Arbitrary<Buffer> = fc
  .oneof(fc.nat(40), fc.integer({ min: 1000, max: 1100 }), fc.nat(5000))
  .map((length) => Buffer.alloc(length, length));
const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(one);

/** Each primitive: how it is written, and what is read again. */
interface Step {
  readonly value: unknown;
  write(writer: Writer): Writer;
  read(reader: Reader): unknown;
}

const step = <T>(
  values: fc.Arbitrary<T>,
  write: (writer: Writer, value: T) => Writer,
  read: (reader: Reader) => T,
): fc.Arbitrary<Step> => values.map((value) => ({ value, write: (writer) => write(writer, value), read }));

const steps: fc.Arbitrary<Step> = fc.oneof(
  step(
    int(8),
    (writer, value) => writer.int8(value),
    (reader) => reader.int8(),
  ),
  step(
    int(16),
    (writer, value) => writer.int16(value),
    (reader) => reader.int16(),
  ),
  step(
    int(32),
    (writer, value) => writer.int32(value),
    (reader) => reader.int32(),
  ),
  step(
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    (writer, value) => writer.int64(value),
    (reader) => reader.int64(),
  ),
  step(
    fc.nat(2 ** 32 - 1),
    (writer, value) => writer.uint32(value),
    (reader) => reader.uint32(),
  ),
  step(
    fc.boolean(),
    (writer, value) => writer.boolean(value),
    (reader) => reader.boolean(),
  ),
  step(
    fc.uuid(),
    (writer, value) => writer.uuid(value),
    (reader) => reader.uuid(),
  ),
  step(
    fc.nat(2 ** 32 - 1),
    (writer, value) => writer.unsignedVarint(value),
    (reader) => reader.unsignedVarint(),
  ),
  step(
    int(32),
    (writer, value) => writer.varint(value),
    (reader) => reader.varint(),
  ),
  step(
    fc.maxSafeInteger(),
    (writer, value) => writer.varlong(BigInt(value)),
    (reader) => reader.varlong(),
  ),
  step(
    text,
    (writer, value) => writer.string(value),
    (reader) => reader.string(),
  ),
  step(
    maybe(text),
    (writer, value) => writer.string(value),
    (reader) => reader.nullableString(),
  ),
  step(
    text,
    (writer, value) => writer.compactString(value),
    (reader) => reader.compactString(),
  ),
  step(
    maybe(text),
    (writer, value) => writer.compactString(value),
    (reader) => reader.compactNullableString(),
  ),
  step(
    bytes,
    (writer, value) => writer.bytes(value),
    (reader) => reader.bytes(),
  ),
  step(
    maybe(bytes),
    (writer, value) => writer.bytes(value),
    (reader) => reader.nullableBytes(),
  ),
  step(
    bytes,
    (writer, value) => writer.compactBytes(value),
    (reader) => reader.compactBytes(),
  ),
  step(
    maybe(bytes),
    (writer, value) => writer.compactBytes(value),
    (reader) => reader.compactNullableBytes(),
  ),
  step(
    fc.array(int(32)),
    (writer, value) => writer.array(value, (_, item) => writer.int32(item)),
    (reader) => reader.array(() => reader.int32()),
  ),
  step(
    maybe(fc.array(text)),
    (writer, value) => writer.array(value, (_, item) => writer.string(item)),
    (reader) => reader.nullableArray(() => reader.string()),
  ),
  step(
    fc.array(int(32), { maxLength: 200, size: 'max' }),
    (writer, value) => writer.compactArray(value, (_, item) => writer.int32(item)),
    (reader) => reader.compactArray(() => reader.int32()),
  ),
  step(
    maybe(fc.array(text)),
    (writer, value) => writer.compactArray(value, (_, item) => writer.compactString(item)),
    (reader) => reader.compactNullableArray(() => reader.compactString()),
  ),
);

test('whatever is written, one thing after the other, is read again', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 60, size: 'max' }), (all) => {
      const writer = new Writer();
      for (const one of all) one.write(writer);
      const reader = new Reader(writer.finish());
      for (const one of all) expect(one.read(reader)).toEqual(one.value);
      expect(reader.left).toBe(0);
    }),
  );
});

test('what crosses the end of a page is written on the next one', () => {
  for (let before = 240; before <= 260; before += 1) {
    const written = new Writer().raw(Buffer.alloc(before)).int64(-2n).compactString('ü'.repeat(90)).unsignedVarint(300);
    const reader = new Reader(written.finish());
    reader.skip(before);
    expect([reader.int64(), reader.compactString(), reader.unsignedVarint()]).toEqual([-2n, 'ü'.repeat(90), 300]);
  }
});

test('large bytes lie between what was written before and after them', () => {
  const large = Buffer.alloc(100_000, 7);
  const written = new Writer().int8(1).compactBytes(large).int8(2).bytes(large).raw(large).int8(3).finish();
  expect(written).toEqual(
    Buffer.concat([
      Buffer.from([1, 0xa1, 0x8d, 0x06]),
      large,
      Buffer.from([2, 0x00, 0x01, 0x86, 0xa0]),
      large,
      large,
      Buffer.from([3]),
    ]),
  );
});

test('no UUID is all zeros, and what is none is refused', () => {
  expect(new Writer().uuid(null).finish()).toEqual(Buffer.alloc(16));
  expect(() => new Writer().uuid('0123')).toThrow(RangeError);
  expect(() => new Writer().unsignedVarint(-1)).toThrow(RangeError);
  expect(() => new Writer().unsignedVarint(2 ** 32)).toThrow(RangeError);
  expect(() => new Writer().string('x'.repeat(2 ** 15))).toThrow(RangeError);
});

test.for([
  [0n, '00'],
  [-1n, '01'],
  [1n, '02'],
  [63n, '7e'],
  [-64n, '7f'],
  [64n, '8001'],
  [2n ** 63n - 1n, 'feffffffffffffffff01'],
  [-(2n ** 63n), 'ffffffffffffffffff01'],
] as const)('%d is written in as few bytes as it needs', ([value, hex]) => {
  expect(new Writer().varlong(value).finish().toString('hex')).toBe(hex);
  expect(new Reader(Buffer.from(hex, 'hex')).varlong()).toBe(Number(value));
});
