import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LocalEntry } from './local-entry.ts';
import { LocalTier } from './local-tier.ts';

function entry(key: string, bytes = 1): LocalEntry {
  const times = { readyUntil: 0, freshUntil: 0, staleUntil: 0, since: 0 };
  return new LocalEntry({ key, version: undefined, value: key, tagging: undefined, bytes, ...times });
}

describe('the local tier', () => {
  test('gives up the least recently used first', () => {
    let evicted = 0;
    const tier = new LocalTier(2, 100, () => (evicted += 1));
    tier.set(entry('a'));
    tier.set(entry('b'));
    tier.get('a');
    tier.set(entry('c'));
    expect([...tier].map(({ key }) => key)).toEqual(['a', 'c']);
    expect(evicted).toBe(1);
  });

  test('does not keep what is larger than all of it, and lets go of what that replaces', () => {
    const tier = new LocalTier(10, 100, () => {});
    tier.set(entry('a', 60));
    tier.set(entry('b', 30));
    tier.set(entry('a', 101));
    expect([...tier].map(({ key }) => key)).toEqual(['b']);
    expect(tier.bytes).toBe(30);
  });

  test('does what a plain list would do', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.oneof(
      fc.record({ op: fc.constant('set' as const), key, bytes: fc.integer({ min: 0, max: 9 }) }),
      fc.record({ op: fc.constant('get' as const), key }),
      fc.record({ op: fc.constant('delete' as const), key }),
      fc.record({ op: fc.constant('clear' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const tier = new LocalTier(3, 15, () => {});
        let model: { key: string; bytes: number }[] = [];
        for (const each of steps) {
          if (each.op === 'clear') {
            tier.clear();
            model = [];
            continue;
          }
          const there = model.find((other) => other.key === each.key);
          const others = model.filter((other) => other !== there);
          if (each.op === 'get') {
            expect(tier.get(each.key)?.key).toBe(there?.key);
            if (there) model = [...others, there];
          } else if (each.op === 'set') {
            const { key, bytes } = each;
            tier.set(entry(key, bytes));
            model = [...others, { key, bytes }];
            const sum = (): number => model.reduce((total, { bytes }) => total + bytes, 0);
            while (model.length > 3 || sum() > 15) model.shift();
          } else {
            expect(tier.delete(each.key)).toBe(there !== undefined);
            model = others;
          }
          expect([...tier].map((other) => other.key)).toEqual(model.map((other) => other.key));
          expect(tier.items).toBe(model.length);
          expect(tier.bytes).toBe(model.reduce((total, { bytes }) => total + bytes, 0));
        }
      }),
    );
  });
});
