import { zstdCompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decompress } from './compression.ts';
import { MalformedAnswerError } from './malformed-answer-error.ts';
import { UnreadableBatchError } from './unreadable-batch-error.ts';

const most = 1024 * 1024;
const codes = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
type Codec = keyof typeof codes;
const codecs = Object.keys(codes) as Codec[];

const compress = (codec: Codec, bytes: Buffer): Buffer =>
  Buffer.from(compressionsAlgorithms[codec].compressSync(bytes));

const persons = Buffer.from(Array.from({ length: 40 }, (_, id) => `{"id":${id},"name":"someone"}`).join(''));
const alphabet = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz'.repeat(3200));

/** Words that come again and again, and noise. Never nothing: at that the other implementation of snappy may fall. */
const mixed: fc.Arbitrary<Buffer> = fc
  .array(
    fc.oneof(
      fc.constantFrom('the', 'quick ', 'fox', 'a', ' ', '{"name":').map((word) => Buffer.from(word)),
      fc.uint8Array({ maxLength: 90 }).map((noise) => Buffer.from(noise)),
      fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, length]) => Buffer.alloc(length, byte)),
    ),
    { maxLength: 120, size: 'max' },
  )
  .map((parts) => Buffer.concat(parts))
  .filter(({ length }) => length > 0);

test.for(codecs)('what others compressed as %s is decompressed', (codec) => {
  fc.assert(
    fc.property(mixed, (bytes) => {
      expect(decompress(codes[codec], compress(codec, bytes), most).equals(bytes)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test('what is not compressed stays as it is', () => {
  expect(decompress(0, persons, most)).toBe(persons);
});

// By the reference implementations of both formats.
const snappyBlock =
  '8608607b226964223a302c226e616d65223a22736f6d656f6e65227d091900315e190000325e190000335e190000345e190000355e190000365e1900' +
  '00375e190000385e190000395e1900003166fb0062fc00003162fd00003162fe00003162ff0000316200010031620101003162020100316203010031' +
  '62040100326204010032620401003262040100326204010032620401003262040100326204010032620401003262040100326204010033620401003362' +
  '0401003362040100336204010033620401003362040100336204010033620401003362040100334a0401';
const lz4Checked =
  '04224d187c400604000000000000b2e4000000f20a7b226964223a302c226e616d65223a22736f6d656f6e65227d19001f311900051f321900051f33' +
  '1900051f341900051f351900051f361900051f371900051f381900051f391900051f31fb00070ffc00061f31fd00061f31fe00061f31ff00061f3100' +
  '01061f310101061f310201061f310301061f310401061f320401061f320401061f320401061f320401061f320401061f320401061f320401061f3204' +
  '01061f320401061f320401061f330401061f330401061f330401061f330401061f330401061f330401061f330401061f330401061f330401061a3304' +
  '01506f6e65227d05239c3e000000007b56f4f3';
const lz4Linked = [
  '04224d18484000c20100000000009b2f010000ff15303132333435363738396162636465666768696a6b6c6d6e6f707172737475767778797a2400',
  'ff'.repeat(256),
  'c4506263646566cc0000000ff0',
  'ff'.repeat(195),
  'aa50767778797a00000000',
].join('');

test('a block of snappy, and a sequence of them as Java writes it', () => {
  const block = Buffer.from(snappyBlock, 'hex');
  const framed = (...blocks: Buffer[]): Buffer => {
    const head = Buffer.from('82534e41505059000000000100000001', 'hex');
    const lengths = blocks.map(({ length }) => Buffer.from(length.toString(16).padStart(8, '0'), 'hex'));
    return Buffer.concat([head, ...blocks.flatMap((one, index) => [lengths[index] ?? head, one])]);
  };
  expect(decompress(2, block, most)).toEqual(persons);
  expect(decompress(2, framed(), most)).toEqual(Buffer.alloc(0));
  expect(decompress(2, framed(block), most)).toEqual(persons);
  expect(decompress(2, framed(block, block), most)).toEqual(Buffer.concat([persons, persons]));
  expect(() => decompress(2, framed(block, block), 2 * persons.length - 1)).toThrow(UnreadableBatchError);
  expect(() => decompress(2, framed(block, block.subarray(0, -1)), most)).toThrow(MalformedAnswerError);
});

test('frames of lz4: with checksums and a size, and with blocks that refer to the one before', () => {
  expect(decompress(3, Buffer.from(lz4Checked, 'hex'), most)).toEqual(persons);
  expect(decompress(3, Buffer.from(lz4Linked, 'hex'), most).equals(alphabet)).toBe(true);
  // The same, but its blocks are said to be independent.
  const wrong = Buffer.from(lz4Linked, 'hex');
  wrong[4] = (wrong[4] ?? 0) | 0x20;
  expect(() => decompress(3, wrong, most)).toThrow(MalformedAnswerError);
});

test('a way of compression that nobody knows is refused', () => {
  expect(() => decompress(5, persons, most)).toThrow(UnreadableBatchError);
  expect(() => decompress(7, persons, most)).toThrow(UnreadableBatchError);
});

test.for(codecs)('what has more bytes than it may, compressed as %s, is refused', (codec) => {
  const bytes = Buffer.alloc(100_000, 1);
  const compressed = compress(codec, bytes);
  expect(decompress(codes[codec], compressed, bytes.length).equals(bytes)).toBe(true);
  expect(() => decompress(codes[codec], compressed, bytes.length - 1)).toThrow(UnreadableBatchError);
});

test('what says that it is huge gets no room for that', () => {
  const few = Buffer.from('ffffffff07000000', 'hex');
  expect(() => decompress(2, few, 2 ** 40)).toThrow(MalformedAnswerError);
  expect(() => decompress(2, few, most)).toThrow(UnreadableBatchError);
});

test.for(codecs)('what is cut short, compressed as %s, is refused', (codec) => {
  const compressed = compress(codec, persons);
  for (let length = 0; length < compressed.length; length += 1) {
    expect(() => decompress(codes[codec], compressed.subarray(0, length), most)).toThrow(MalformedAnswerError);
  }
});

test.for(codecs)('whatever the bytes are, as %s they are decompressed or refused', (codec) => {
  const whole = codec === 'zstd' ? zstdCompressSync(persons) : compress(codec, persons);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
      fc.option(fc.uint8Array({ maxLength: 100 })),
      (changes, random) => {
        const bytes = Buffer.from(random ?? whole);
        if (!random) for (const [at, byte] of changes) bytes[at] = byte;
        try {
          decompress(codes[codec], bytes, most);
        } catch (error) {
          expect(error instanceof MalformedAnswerError || error instanceof UnreadableBatchError).toBe(true);
        }
      },
    ),
  );
});
