import { expect, test } from 'vitest';
import type { Opened } from '../connection.ts';
import type { PartitionReaderEvents, PartitionReaderOptions } from '../driver/partition-reader.ts';
import type { ReadRecord, RecordBatch } from '../driver/record.ts';
import { partitionOf } from '../publishing/partitioner.ts';
import { headerNames } from '../topic/headers.ts';
import { redeliver } from './redeliver.ts';

const { signal } = new AbortController();

/** Four partitions, and one for dead letters, in which these stand. */
function opened(letters: readonly ReadRecord[]) {
  const appended: RecordBatch[] = [];
  const done = async (): Promise<void> => {};
  const append = async (batches: readonly RecordBatch[]): Promise<void> => void appended.push(...batches);
  const transactor = async () => ({ begin: done, append, sendOffsets: done, commit: done, close: done });
  const readPartitions = async ({ topic }: PartitionReaderOptions, events: PartitionReaderEvents) => {
    const end = BigInt(letters.length);
    queueMicrotask(() => events.records({ topic, partition: 0 }, letters, { next: end, end }));
    return { pause: () => {}, resume: () => {}, stop: done };
  };
  const admin = {
    leaders: async (topic: string) => (topic === 'rides' ? [1, 1, 1, 1] : [1]),
    committed: async () => [],
    offsets: async (_: string, at: unknown) => new Map([[0, at === 'latest' ? BigInt(letters.length) : 0n]]),
    describeTopic: async () => ({ partitions: 1, replication: 1, settings: {} }),
  };
  return { appended, opened: { driver: { transactor, readPartitions, admin } } as unknown as Opened };
}

function letter(offset: bigint, key: string | null, stood?: string): ReadRecord {
  const headers = stood === undefined ? [] : [[headerNames.deadPartition, Buffer.from(stood)] as const];
  return {
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from(`${offset}`),
    headers,
    timestamp: 1,
    offset,
  };
}

test('letters are put back where they stood; where there is no such partition, by their key', async () => {
  const byKey = partitionOf(Buffer.from('a'), 4);
  const elsewhere = (byKey + 1) % 4;
  const { appended, opened: given } = opened([
    letter(0n, null, '2'),
    // As by a publisher that chose it.
    letter(1n, 'a', `${elsewhere}`),
    letter(2n, 'a', '4'),
    letter(3n, 'a', 'x'),
    letter(4n, 'a', '-1'),
  ]);
  expect(await redeliver(given, 'rides', signal)).toBe(5);
  const back = appended.filter(({ topic }) => topic === 'rides');
  const places = back.flatMap(({ partition, records }) => records.map(({ value }) => [Number(value), partition]));
  expect(new Map(places as [number, number][])).toEqual(
    new Map([
      [0, 2],
      [1, elsewhere],
      [2, byKey],
      [3, byKey],
      [4, byKey],
    ]),
  );
  expect(places).toHaveLength(5);
});
