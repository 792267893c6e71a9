import { expect, test } from 'vitest';
import { Latency } from './latency.ts';

test('percentiles are right to within a fifth, mean and maximum exactly', () => {
  const latency = new Latency();
  for (let ms = 1; ms <= 1_000; ms += 1) latency.add(ms);
  const { count, mean, p50, p99, max } = latency.summary();
  expect({ count, mean, max }).toEqual({ count: 1_000, mean: 500.5, max: 1_000 });
  expect(p50).toBeGreaterThanOrEqual(500);
  expect(p50).toBeLessThanOrEqual(600);
  expect(p99).toBeGreaterThanOrEqual(990);
  expect(p99).toBeLessThanOrEqual(1_000);
});

test('nothing measured is all zeros, and the longest of all fits too', () => {
  const latency = new Latency();
  expect(latency.summary()).toEqual({ count: 0, mean: 0, p50: 0, p99: 0, max: 0 });
  latency.add(0);
  latency.add(Number.MAX_SAFE_INTEGER);
  expect(latency.summary().max).toBe(Number.MAX_SAFE_INTEGER);
});
