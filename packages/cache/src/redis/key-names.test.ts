import slotOf from 'cluster-key-slot';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { doneOf, KeyNames, leaseOf, versioned } from './key-names.ts';

const names = new KeyNames('taxi', 'app:');

test('all parts of an entry are in one slot, whatever its key', () => {
  const odd = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.string({ unit: fc.constantFrom('{', '}', '%', 'a'), minLength: 1 }),
  );
  fc.assert(
    fc.property(odd, (key) => {
      for (const version of [undefined, '1', 'v{}@%']) {
        const full = version === undefined ? key : versioned('rides', version, key);
        const [entry, fence] = [names.entry(full, version), names.fence(full, version)];
        const parts = [entry, leaseOf(entry), fence, doneOf(fence, '1')];
        expect(new Set(parts.map((name) => slotOf(`app:${name}`))).size).toBe(1);
      }
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

test('a key of a namespace has an entry for each version, and one fence for all', () => {
  const at = (version: string): [string, string] => [versioned('rides', version, 'count@1:a'), version];
  expect(names.entry(...at('a'))).toBe('taxi:{rides@:count@1:a}@a');
  expect(names.entry(...at('b'))).not.toBe(names.entry(...at('a')));
  expect(names.fence(...at('b'))).toBe(names.fence(...at('a')));
  expect(names.fence(...at('b'))).toBe(names.fence(versioned('rides', '', 'count@1:a')));
});

test('the clock, tags and versions share a slot', () => {
  expect(new Set([names.clock, names.tag('dataset:7'), names.tag('}{'), names.version('rides')].map(slotOf)).size).toBe(
    1,
  );
});
