import type { Driver } from '../driver/driver.ts';
import type { PartitionReader } from '../driver/partition-reader.ts';
import type { ReadRecord, TopicPartition } from '../driver/record.ts';
import { offsetsAt, type Where } from './where.ts';

export interface ReadOptions {
  /** Default `earliest`. */
  readonly from?: Where;
  /** Up to here, and not what stands there. Default `latest`: what is there when reading begins. */
  readonly to?: Where;
  readonly signal?: AbortSignal;
}

/** So many records of all partitions wait for the reader at most, and those that are on their way. */
const most = 1_000;

/** The records of a topic, each partition in order, without any group. Reading waits for whoever reads. */
export async function* readTopic(
  driver: Driver,
  topic: string,
  { from = 'earliest', to = 'latest' }: ReadOptions,
  signal: AbortSignal,
): AsyncGenerator<{ readonly partition: TopicPartition; readonly record: ReadRecord }, void> {
  const { admin } = driver;
  const ends = await offsetsAt(admin, topic, 'to', to, signal);
  const begins = await offsetsAt(admin, topic, 'from', from, signal);
  const left = new Map([...begins].filter(([partition, begin]) => begin < (ends.get(partition) ?? 0n)));
  if (left.size === 0) return;
  const at = new Map(left);
  const waiting: { readonly partition: TopicPartition; readonly record: ReadRecord }[] = [];
  let first = 0;
  let wake: (() => void) | undefined;
  let reader: PartitionReader | undefined;
  const paused = new Set<number>();
  const stop = (): void => wake?.();
  signal.addEventListener('abort', stop, { once: true });
  try {
    reader = await driver.readPartitions(
      { topic, from: left, signal },
      {
        records: (partition, records, { next }) => {
          const end = ends.get(partition.partition) ?? 0n;
          if (!left.has(partition.partition)) return;
          at.set(partition.partition, next);
          for (const record of records) if (record.offset < end) waiting.push({ partition, record });
          if (next >= end) {
            left.delete(partition.partition);
            reader?.pause(partition);
          } else if (waiting.length - first >= most) {
            paused.add(partition.partition);
            reader?.pause(partition);
          }
          wake?.();
        },
        // Retention may have taken all that was left of it: then nothing more comes.
        missed: (partition, count) => {
          const next = (at.get(partition.partition) ?? 0n) + count;
          at.set(partition.partition, next);
          if (next < (ends.get(partition.partition) ?? 0n)) return;
          left.delete(partition.partition);
          reader?.pause(partition);
          wake?.();
        },
        trouble: () => {},
      },
    );
    while (left.size > 0 || first < waiting.length) {
      signal.throwIfAborted();
      const next = waiting[first];
      if (next) {
        first += 1;
        if (first === waiting.length) {
          waiting.length = 0;
          first = 0;
        }
        yield next;
        continue;
      }
      for (const partition of paused) reader.resume({ topic, partition });
      paused.clear();
      if (left.size > 0) await new Promise<void>((resolve) => (wake = resolve));
      wake = undefined;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await reader?.stop();
  }
}
