import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fenceOf, KeyNames, leaseOf, waitersOf } from './key-names.ts';

// The client's own arithmetic says which slot a key is in.
const slotOf = createRequire(import.meta.resolve('ioredis'))('cluster-key-slot') as (key: string) => number;
const names = new KeyNames('taxi', 'app:');

test('all parts of an entry are in one slot, whatever its key', () => {
  const odd = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.string({ unit: fc.constantFrom('{', '}', '%', 'a'), minLength: 1 }),
  );
  fc.assert(
    fc.property(odd, (key) => {
      const entry = names.entry(key);
      const slots = [entry, leaseOf(entry), waitersOf(entry), fenceOf(entry)].map((name) => slotOf(`app:${name}`));
      expect(new Set(slots).size).toBe(1);
    }),
  );
});

test('different keys have different names', () => {
  const key = fc.string({ unit: fc.constantFrom('{', '}', '%', '7', 'D', '2', '5', ':'), minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(key, key, (a, b) => {
      expect(names.entry(a) === names.entry(b)).toBe(a === b);
      expect(names.entry(a)).not.toBe(leaseOf(names.entry(b)));
    }),
  );
});

test('the clock, tags and versions share a slot', () => {
  expect(new Set([names.clock, names.tag('dataset:7'), names.tag('}{'), names.version('rides')].map(slotOf)).size).toBe(
    1,
  );
});
