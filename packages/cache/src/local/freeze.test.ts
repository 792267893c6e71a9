import { expect, test } from 'vitest';
import { freeze } from './freeze.ts';

test('what a caller changes by mistake throws, however deep', () => {
  const value = { zones: [{ name: 'a', at: { x: 1 } }], none: null };
  freeze(value);
  expect(() => value.zones.push({ name: 'b', at: { x: 2 } })).toThrow(TypeError);
  expect(() => Object.assign(value.zones[0]?.at ?? {}, { x: 2 })).toThrow(TypeError);
});

test('what is frozen at the top only, as by the readonly of a schema, is frozen below it too', () => {
  const value = Object.freeze({ zones: Object.freeze([{ name: 'a' }]), at: { x: 1 } });
  freeze(value);
  expect(() => Object.assign(value.at, { x: 2 })).toThrow(TypeError);
  expect(() => Object.assign(value.zones[0] ?? {}, { name: 'b' })).toThrow(TypeError);
});

test('what cannot be frozen is left as it is', () => {
  const value = { when: new Date(0), bytes: new Uint8Array(2), map: new Map() };
  freeze(value);
  value.bytes[0] = 1;
  expect(value.bytes[0]).toBe(1);
  for (const plain of [undefined, null, 5, 'text', Symbol('s')]) freeze(plain);
});

test('a value that contains itself is frozen once, also where it was frozen before', () => {
  const value: { self?: unknown; list: unknown[] } = { list: [] };
  value.self = value;
  value.list.push(value);
  for (let time = 1; time <= 2; time += 1) {
    freeze(value);
    expect(Object.isFrozen(value) && Object.isFrozen(value.list)).toBe(true);
  }
});
