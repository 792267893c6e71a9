import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MalformedAnswerError } from './malformed-answer-error.ts';
import { Reader } from './reader.ts';

const read = (hex: string): Reader => new Reader(Buffer.from(hex, 'hex'));

test('the end of the bytes is an error, wherever it comes', () => {
  for (const step of [
    (reader: Reader) => reader.int8(),
    (reader: Reader) => reader.int16(),
    (reader: Reader) => reader.int32(),
    (reader: Reader) => reader.int64(),
    (reader: Reader) => reader.uint32(),
    (reader: Reader) => reader.uuid(),
    (reader: Reader) => reader.unsignedVarint(),
    (reader: Reader) => reader.varlong(),
    (reader: Reader) => reader.string(),
    (reader: Reader) => reader.compactString(),
    (reader: Reader) => reader.bytes(),
    (reader: Reader) => reader.compactBytes(),
    (reader: Reader) => reader.array(() => reader.int8()),
    (reader: Reader) => reader.compactArray(() => reader.int8()),
    (reader: Reader) => reader.skipTags(),
    (reader: Reader) => reader.raw(1),
  ]) {
    expect(() => step(read(''))).toThrow(MalformedAnswerError);
  }
});

test.for([
  ['text that is longer than what there is', '7fff61', (reader: Reader) => reader.string()],
  ['text of a negative length', 'fffe61', (reader: Reader) => reader.string()],
  ['no text where there has to be', 'ffff', (reader: Reader) => reader.string()],
  ['compact text that is longer than what there is', 'ffffffff0f61', (reader: Reader) => reader.compactString()],
  ['no compact text where there has to be', '00', (reader: Reader) => reader.compactString()],
  ['bytes of a negative length', '80000000', (reader: Reader) => reader.nullableBytes()],
  ['a list with more items than bytes', '7fffffff0000', (reader: Reader) => reader.array(() => reader.int8())],
  ['a list of a negative length', '80000000', (reader: Reader) => reader.array(() => reader.int8())],
  ['a compact list with more items than bytes', 'ffffffff0f00', (reader: Reader) => reader.compactArray(() => 0)],
  ['a list that there has to be', 'ffffffff', (reader: Reader) => reader.array(() => reader.int8())],
  ['a number of too many bytes', '808080808001', (reader: Reader) => reader.unsignedVarint()],
  ['a large number of too many bytes', '8080808080808080808001', (reader: Reader) => reader.varlong()],
  ['a large number that is cut short', '8080808080808080', (reader: Reader) => reader.varlong()],
  ['a tagged field that is longer than what there is', '0105ffffffff0f', (reader: Reader) => reader.skipTags()],
  ['more tagged fields than bytes', 'ffffffff0f0000', (reader: Reader) => reader.skipTags()],
] as const)('%s is an error', ([, hex, step]) => {
  expect(() => step(read(hex))).toThrow(MalformedAnswerError);
});

test('tagged fields are read past, whatever they are', () => {
  const reader = read('0300024142ac0200050161ff');
  reader.skipTags();
  expect(reader.int8()).toBe(-1);
  expect(reader.left).toBe(0);
});

test('bytes are a window on the answer', () => {
  const answer = Buffer.from('0000000161', 'hex');
  const found = new Reader(answer).bytes();
  answer[4] = 0x62;
  expect(found.toString()).toBe('b');
});

test('whatever the bytes are, a list in a list is read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (random) => {
      const reader = new Reader(Buffer.from(random));
      try {
        reader.compactArray(() => reader.compactArray(() => [reader.compactNullableString(), reader.varlong()]));
        reader.skipTags();
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedAnswerError);
      }
    }),
  );
});
