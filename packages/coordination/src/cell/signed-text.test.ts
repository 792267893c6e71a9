import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSignedText, signedText } from './signed-text.ts';

const kind = { what: 'a counter', word: 'counter' };
const parse = (text: string): ReturnType<typeof parseSignedText> => parseSignedText('/c', kind, Buffer.from(text));

test('any text comes back as it was, with who signed it', () => {
  const signature = fc.record({
    version: fc.nat(),
    mark: fc.uint8Array({ minLength: 9, maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  });
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.array(signature, { maxLength: 16 }), (text, signatures) => {
      expect(parse(signedText(kind, { text, signatures }))).toEqual({ text, signatures });
    }),
  );
});

test('only the latest 16 are remembered', () => {
  const signatures = Array.from({ length: 20 }, (_, i) => ({ version: 20 - i, mark: `m${i}` }));
  expect(parse(signedText(kind, { text: '1', signatures })).signatures).toEqual(signatures.slice(0, 16));
});

test.each(['42', '42\n', '', '\n', '#quorate counter 1:a', '4\n#quorate counter 1:a\n', '4\n#quorate counter one'])(
  'text that nobody has signed is taken as it is: %j',
  (text) => {
    expect(parse(text)).toEqual({ text, signatures: [] });
  },
);

test('what calls itself something else is not taken', () => {
  expect(() => parse('42\n#quorate settings 1:a')).toThrow(/\/c: expected a counter, found .*settings/);
});
