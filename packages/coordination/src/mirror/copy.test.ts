import type { Stat } from '@quorate/zookeeper';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Copy } from './copy.ts';

const limits = { maxNodes: 100, maxBytes: 1_000 };
let zxid = 0n;

function node(text: string): { data: Buffer; stat: Stat } {
  zxid += 1n;
  return { data: Buffer.from(text), stat: { czxid: 1n, mzxid: zxid, dataLength: text.length } as Stat };
}

test('a node that is the same says so', () => {
  const copy = new Copy('/m', limits);
  const read = node('x');
  expect(copy.set('/m', read)).toBe(true);
  expect(copy.set('/m', read)).toBe(false);
  expect(copy.set('/m', node('x'))).toBe(true);
});

test('what is below a node goes with it, from the bottom up', () => {
  const copy = new Copy('/m', limits);
  for (const path of ['/m', '/m/a', '/m/a/1', '/m/b']) copy.set(path, node(''));
  expect(copy.delete('/m/a')).toEqual(['/m/a/1', '/m/a']);
  expect(copy.delete('/m/a')).toEqual([]);
  expect(copy.names('/m')).toEqual(['b']);
});

test.each([
  ['side by side', (index: number) => `/m/all/${index}`],
  ['one below the other', (index: number) => `/m${'/x'.repeat(index)}`],
] as const)('very many nodes %s go at once', (how, path) => {
  const count = how === 'side by side' ? 200_000 : 20_000;
  const copy = new Copy('/m', { maxNodes: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY });
  for (const above of ['/m', '/m/all']) copy.set(above, node(''));
  for (let index = 1; index <= count; index += 1) copy.set(path(index), node(''));
  expect(copy.delete('/m')).toHaveLength(count + 2);
  expect(copy.size).toBe(0);
});

test('children that come before their parent are known when it comes', () => {
  const copy = new Copy('/', limits);
  copy.set('/a/b', node(''));
  expect(copy.names('/a')).toBeUndefined();
  copy.set('/a', node(''));
  copy.set('/', node(''));
  expect(copy.names('/a')).toEqual(['b']);
  expect(copy.names('/')).toEqual(['a']);
});

test('shows what a plain map shows after any changes, and counts bytes like it', () => {
  const path = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }).map((names) => ['/m', ...names].join('/'));
  const change = fc.record({ path, text: fc.option(fc.string({ maxLength: 9, unit: fc.constantFrom('x', 'y') })) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const copy = new Copy('/m', { maxNodes: 40, maxBytes: 360 });
      const plain = new Map<string, string>();
      for (const { path: at, text } of changes) {
        if (text !== null) {
          // No node without its parent.
          for (let end = at.indexOf('/', 1); end > 0; end = at.indexOf('/', end + 1)) {
            if (plain.has(at.slice(0, end))) continue;
            copy.set(at.slice(0, end), node(''));
            plain.set(at.slice(0, end), '');
          }
          copy.set(at, node(text));
          plain.set(at, text);
        } else {
          copy.delete(at);
          for (const each of [...plain.keys()]) if (`${each}/`.startsWith(`${at}/`)) plain.delete(each);
        }
      }
      expect(new Map([...copy.entries()].map(([each, { data }]) => [each, `${data}`]))).toEqual(plain);
      for (const each of plain.keys()) {
        const below = [...plain.keys()].filter((other) => other.slice(0, other.lastIndexOf('/')) === each);
        expect(copy.names(each)?.sort()).toEqual(below.map((other) => other.slice(each.length + 1)).sort());
      }
      const left = 360 - [...plain.values()].reduce((sum, { length }) => sum + length, 0);
      expect(() => copy.set('/m/z', node('z'.repeat(left + 1)))).toThrow(/maxBytes \(360\)/);
    }),
  );
});

test('refuses one node too many', () => {
  const copy = new Copy('/m', { maxNodes: 2, maxBytes: 10 });
  copy.set('/m', node(''));
  copy.set('/m/a', node(''));
  copy.set('/m/a', node('x'));
  expect(() => copy.set('/m/b', node(''))).toThrow(/maxNodes \(2\)/);
});
