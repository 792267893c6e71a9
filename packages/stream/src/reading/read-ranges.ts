import type { Driver } from '../driver/driver.ts';
import type { PartitionReader } from '../driver/partition-reader.ts';
import type { ReadRecord } from '../driver/record.ts';

/** From an offset up to, and without, another one. */
export interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/** Gives every record of these ranges, by partition, to `take`. Resolves when all have been read, or `take` has said that it is enough of a partition. */
export async function readRanges(
  driver: Driver,
  topic: string,
  ranges: ReadonlyMap<number, Range>,
  take: (partition: number, record: ReadRecord) => 'enough' | undefined,
  signal: AbortSignal,
): Promise<void> {
  const left = new Map([...ranges].filter(([, { from, to }]) => from < to));
  if (left.size === 0) return;
  const over = Promise.withResolvers<void>();
  const stop = (): void => over.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  let reader: PartitionReader | undefined;
  const end = (partition: number): void => {
    left.delete(partition);
    reader?.pause({ topic, partition });
    if (left.size === 0) over.resolve();
  };
  const from = new Map([...left].map(([partition, range]) => [partition, range.from]));
  const at = new Map(from);
  try {
    reader = await driver.readPartitions(
      { topic, from, signal },
      {
        records: ({ partition }, records, { next }) => {
          const range = left.get(partition);
          if (!range) return;
          at.set(partition, next);
          for (const record of records) {
            if (record.offset >= range.to) break;
            if (take(partition, record) === 'enough') {
              end(partition);
              return;
            }
          }
          if (next >= range.to) end(partition);
        },
        // Retention may have taken all that was left of it: then nothing more comes.
        missed: ({ partition }, count) => {
          const next = (at.get(partition) ?? 0n) + count;
          at.set(partition, next);
          if (next >= (left.get(partition)?.to ?? next)) end(partition);
        },
        trouble: () => {},
      },
    );
    await over.promise;
  } finally {
    signal.removeEventListener('abort', stop);
    over.promise.catch(() => {});
    await reader?.stop();
  }
}
