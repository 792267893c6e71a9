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

/** All that can be read of it. */
function read(bytes: Buffer): unknown {
  const envelope = unseal(bytes);
  if (envelope === undefined) return undefined;
  const { absent, compressed, freshUntil, staleUntil, loadMs, clock, token, tags, payload, text, payloadBytes } =
    envelope;
  const serializer = envelope.isBy('json') && !envelope.isBy('jsox') && !envelope.isBy('jso') ? 'json' : 'another';
  expect(text).toBe(payload.toString());
  expect(payloadBytes).toBe(payload.length);
  return {
    absent,
    compressed,
    serializer,
    freshUntil,
    staleUntil,
    loadMs,
    clock,
    token: token.readDoubleLE(),
    tags,
    payload,
  };
}

test('what was sealed is read again', () => {
  expect(read(seal(header, '{"a":"ü"}'))).toEqual({ ...header, payload: Buffer.from('{"a":"ü"}') });
  const bytes = Uint8Array.of(0, 255, 7);
  const other: Header = { ...header, absent: true, compressed: false, tags: [] };
  expect(read(seal(other, bytes))).toEqual({ ...other, payload: Buffer.from(bytes) });
  expect(read(seal({ ...header, serializer: 'jsox' }, ''))).toMatchObject({ serializer: 'another' });
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
      expect(() => read(changed)).not.toThrow();
    }),
  );
});
