import { expect, test } from 'vitest';
import { type KafkaHeaders, sizeOf } from './record.ts';

function sizeWith(headers: KafkaHeaders): number {
  return sizeOf({ key: null, value: null, headers, timestamp: 1 });
}

test('the names of headers count, and what is in them', () => {
  const base = sizeWith([['', Buffer.alloc(0)]]);
  expect(sizeWith([['n'.repeat(1_000), Buffer.alloc(0)]])).toBe(base + 1_000);
  expect(sizeWith([['', Buffer.alloc(500)]])).toBe(base + 500);
});
