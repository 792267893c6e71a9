import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstFree, itemPrefix, predecessorOf, priorityOf } from './order.ts';

/** As the servers write it: ten places, the sign included. */
function numbered(prefix: string, number: number): string {
  const wrapped = number | 0;
  const digits = String(Math.abs(wrapped));
  return prefix + (wrapped < 0 ? `-${digits.padStart(9, '0')}` : digits.padStart(10, '0'));
}

function item(priority: number, number: number): string {
  return numbered(itemPrefix(priority), number);
}

const last = 2 ** 31 - 1;

test('priority comes before arrival, and a lower one first', () => {
  expect(firstFree([item(2, 1), item(10, 0), item(1, 7), item(1, 6)], [])).toBe(item(1, 6));
  expect(priorityOf(item(10, 0))).toBe(10);
});

test('what is claimed is passed over, and what is no item', () => {
  expect(firstFree([item(0, 1), item(0, 2)], [item(0, 1)])).toBe(item(0, 2));
  expect(firstFree([item(0, 1)], [item(0, 1)])).toBeUndefined();
  expect(firstFree(['stray', 'p1', 'lock-0000000001', '_c_x-p000.0000000001'], [])).toBeUndefined();
});

test('the number after the last is the first negative one, and comes behind it', () => {
  expect(item(0, last + 1)).toBe('p000.-2147483648');
  expect(firstFree([item(0, last + 2), item(0, last), item(0, last + 1)], [])).toBe(item(0, last));
  expect(firstFree([item(0, last + 2), item(0, last + 1)], [])).toBe(item(0, last + 1));
  // From the negative numbers up to 0 again.
  expect(firstFree([item(0, 2 ** 32), item(0, 2 ** 32 - 5)], [])).toBe(item(0, -5));
});

test('each waits for the one right before it, wherever the numbers are', () => {
  const line = (numbers: readonly number[]): string[] => numbers.map((number) => numbered('_c_x-taker.', number));
  const arrangement = fc.record({
    start: fc.integer({ min: -(2 ** 31), max: last }),
    steps: fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 }),
  });
  fc.assert(
    fc.property(arrangement, fc.infiniteStream(fc.nat()), ({ start, steps }, shuffle) => {
      let number = start;
      const inOrder = line([start, ...steps.map((step) => (number += step))]);
      const listed = inOrder
        .map((name) => ({ name, key: shuffle.next().value }))
        .sort((a, b) => a.key - b.key)
        .map(({ name }) => name);
      for (const [place, own] of inOrder.entries()) expect(predecessorOf(own, listed)).toBe(inOrder[place - 1]);
    }),
  );
});

test('who is not in the line is told so', () => {
  expect(predecessorOf('taker.0000000003', ['taker.0000000001'])).toBe('taker.0000000003');
});
