import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wrapKey } from './wrap-key.ts';

test('what JSON can say is written as JSON', () => {
  const args = [1, 'a "quote"', null, true, [1.5, ['x']], { a: 1, b: { c: [] } }];
  expect(wrapKey(args)).toBe(JSON.stringify(args));
});

test('no two arguments that can be told apart have one key', () => {
  const bytes = [new Uint8Array([1, 2]), Buffer.from([1, 2]), [1, 2], '1,2', 'AQI='];
  const collections = [
    new Set([1, 2, 3]),
    new Set(),
    new Map(),
    new Map([[1, 2]]),
    new Map([['1', 2]]),
    {},
    [],
    { 1: 2 },
  ];
  const numbers = [0, -0, Number.NaN, Infinity, -Infinity, null, undefined, 1, 1n, '1', '1n', 'NaN', 'undefined'];
  const dates = [new Date(0), new Date(1), new Date(Number.NaN), '1970-01-01T00:00:00.000Z', 'Date(0)'];
  const holes = [[undefined], [null], [], new Array(1), { a: undefined }, { a: null }];
  const urls = [new URL('http://a/'), 'http://a/'];
  const all = [...bytes, ...collections.slice(0, 6), ...numbers, ...dates, ...holes.slice(0, 2), ...urls];
  const keys = [...all, new Array(1), { a: undefined }, { a: null }, { 1: 2 }, true, false, ''].map((one) =>
    wrapKey([one]),
  );
  expect(new Set(keys).size).toBe(keys.length);
  expect(wrapKey([])).not.toBe(wrapKey([undefined]));
  expect(wrapKey([Object.assign(new Array(2), { 1: 1 })])).not.toBe(wrapKey([[undefined, 1]]));
  expect(wrapKey([new Array(1)])).not.toBe(wrapKey([new Array(2)]));
  expect(wrapKey([[1], 2])).not.toBe(wrapKey([1, [2]]));
});

test('the order of keys, of a set and of a map does not matter', () => {
  expect(wrapKey([{ a: 1, b: { c: 2, d: 3 } }])).toBe(wrapKey([{ b: { d: 3, c: 2 }, a: 1 }]));
  expect(wrapKey([new Set(['a', 'b'])])).toBe(wrapKey([new Set(['b', 'a'])]));
  const map = new Map<unknown, number>([['a', 1]]).set('b', 2);
  expect(wrapKey([map])).toBe(wrapKey([new Map([...map].reverse())]));
});

const { any } = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<unknown>(0, 1, -0, Number.NaN, null, undefined, 1n, '', '1', 'a', new Date(0), new Date(5)),
    fc.array(fc.constantFrom('"', ',', '[', '1', '\\', '\ud800'), { maxLength: 3 }).map((parts) => parts.join('')),
    fc.array(tie('any'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), tie('any'), { maxKeys: 2, noNullPrototype: true }),
    fc.uniqueArray(fc.constantFrom<unknown>('a', 'b', 1), { maxLength: 2 }).map((items) => new Set(items)),
  ),
}));

test('plain values have one key if and only if they are equal', () => {
  fc.assert(
    fc.property(any, any, (a, b) => {
      expect(wrapKey([a]) === wrapKey([b])).toBe(isDeepStrictEqual(a, b));
      expect(wrapKey([globalThis.structuredClone(a)])).toBe(wrapKey([a]));
    }),
    { numRuns: 2_000 },
  );
});

class Zone {
  readonly id = 7;
}
const circle: { self?: unknown } = {};
circle.self = circle;

test.each([
  [new Zone(), 'arguments[0]'],
  [{ zone: { ids: [1, new Zone()] } }, 'arguments[0].zone.ids[1]'],
  [{ 'a b': () => 1 }, 'arguments[0]["a b"]'],
  [Symbol('s'), 'arguments[0]'],
  [circle, 'arguments[0].self'],
  [new Map([['a', new Zone()]]), 'arguments[0]'],
  [new Proxy(new Zone(), {}), 'arguments[0]'],
  [Object.assign([1], { extra: 1 }), 'arguments[0]'],
  [Object.assign([], { '01': 'x' }), 'arguments[0]'],
  [new (class Zones extends Array<number> {})(), 'arguments[0]'],
  [Object.assign(new Uint8Array([1]), { extra: 1 }), 'arguments[0]'],
  [Object.assign(Buffer.from([1]), { [Symbol('s')]: 1 }), 'arguments[0]'],
  [Object.defineProperty({}, 'hidden', { value: 1 }), 'arguments[0]'],
  [{ [Symbol('s')]: 1 }, 'arguments[0]'],
  [/x/, 'arguments[0]'],
  [new Error('x'), 'arguments[0]'],
  [Object(1), 'arguments[0]'],
  [new Float64Array(1), 'arguments[0]'],
  [Promise.resolve(1), 'arguments[0]'],
])('%o is refused by name', (value, argument) => {
  expect(() => wrapKey([value])).toThrow(expect.objectContaining({ code: 'invalid-argument', argument }));
  expect(() => wrapKey([value])).toThrow(/the option key/);
});

test('what is too large or too deep for a key is refused before it is written', () => {
  let deep: unknown[] = [];
  for (let level = 0; level < 20_000; level += 1) deep = [deep];
  const numbers = Array.from({ length: 5_000 }, (_, index) => index);
  // Each part is small enough: all of them are millions.
  const row = new Array(1_000).fill(1);
  const rows = new Array(1_000).fill(new Array(1_000).fill(row));
  const large = [deep, new Array(3e7), rows, Buffer.alloc(2 ** 24), new Float64Array(2 ** 20), 'x'.repeat(5_000)];
  const named = [{ ...numbers }, new Set(numbers), new Map(numbers.map((number) => [number, number]))];
  for (const value of [...large, ...named]) {
    const begin = performance.now();
    expect(() => wrapKey([value])).toThrow(/^arguments\[0\].*the option key/);
    expect(performance.now() - begin).toBeLessThan(500);
  }
  // What is within a key's length is written.
  expect(wrapKey([Buffer.alloc(3_000)])).toHaveLength('[Buffer()]'.length + 4_000);
  expect(wrapKey([row, row])).toHaveLength('[[1],[1]]'.length + 2 * 999 * ',1'.length);
});

test('an argument that is given twice is no circle', () => {
  const zone = { id: 7 };
  expect(wrapKey([[zone, zone], zone])).toBe('[[{"id":7},{"id":7}],{"id":7}]');
});
