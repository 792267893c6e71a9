import { expect, test } from 'vitest';
import { partitionOf } from './partitioner.ts';

// Hashes that Kafka's own tests of its Java client expect (org.apache.kafka.common.utils.UtilsTest).
const hashes: readonly (readonly [key: string, hash: number])[] = [
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107],
];

test('a key has the partition that the Java client gives it', () => {
  for (const [key, hash] of hashes)
    for (const count of [1, 2, 3, 6, 7, 100, 2 ** 20])
      expect([key, partitionOf(Buffer.from(key), count)]).toEqual([key, (hash & 0x7fffffff) % count]);
});

test('an empty key has one too, and bytes above 127 count as what they are', () => {
  for (const key of [Buffer.alloc(0), Buffer.from([255]), Buffer.from([128, 255, 0, 200, 1])]) {
    const partition = partitionOf(key, 6);
    expect(partition).toBeGreaterThanOrEqual(0);
    expect(partition).toBeLessThan(6);
    expect(partitionOf(Uint8Array.from(key), 6)).toBe(partition);
  }
});
