import { expect, test } from 'vitest';
import { freeze } from './freeze.ts';

test('what a caller changes by mistake throws, however deep', () => {
  const value = { zones: [{ name: 'a', at: { x: 1 } }], none: null };
  freeze(value);
  expect(() => value.zones.push({ name: 'b', at: { x: 2 } })).toThrow(TypeError);
  expect(() => Object.assign(value.zones[0]?.at ?? {}, { x: 2 })).toThrow(TypeError);
});

test('what cannot be frozen is left as it is', () => {
  const value = { when: new Date(0), bytes: new Uint8Array(2), map: new Map() };
  freeze(value);
  value.bytes[0] = 1;
  expect(value.bytes[0]).toBe(1);
  for (const plain of [undefined, null, 5, 'text', Symbol('s')]) freeze(plain);
});

test('a value that contains itself is frozen once', () => {
  const value: { self?: unknown } = {};
  value.self = value;
  freeze(value);
  expect(Object.isFrozen(value)).toBe(true);
});
