import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Header, seal, unseal } from './envelope.ts';

const header: Header = {
  absent: false,
  compressed: true,
  serializer: 'json',
  freshUntil: 1_800_000_000_123.5,
  staleUntil: 1_800_000_100_000,
  loadMs: 17,
  clock: 1_795_276_455_123_456,
  token: 1_795_276_455_123_457,
  tags: ['dataset:7', 'zürich'],
};

test('what was sealed is read again', () => {
  expect(unseal(seal(header, '{"a":"ü"}'))).toEqual({ ...header, payload: Buffer.from('{"a":"ü"}') });
  const bytes = Uint8Array.of(0, 255, 7);
  expect(unseal(seal({ ...header, absent: true, tags: [] }, bytes))).toEqual({
    ...header,
    absent: true,
    tags: [],
    payload: Buffer.from(bytes),
  });
});

test('a value cut at any byte, or longer than it says, is no value', () => {
  const whole = seal(header, 'payload');
  for (let length = 0; length < whole.length; length += 1) expect(unseal(whole.subarray(0, length))).toBeUndefined();
  expect(unseal(Buffer.concat([whole, Buffer.from('x')]))).toBeUndefined();
});

test('whatever stands in Redis, reading it never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.nat(255), (noise, at, byte) => {
      expect(unseal(Buffer.from(noise))).toBeUndefined();
      const changed = seal(header, 'payload');
      changed[at % changed.length] = byte;
      expect(() => unseal(changed)).not.toThrow();
    }),
  );
});
