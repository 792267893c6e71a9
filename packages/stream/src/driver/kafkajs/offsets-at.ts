import { backoff } from '@quorate/core';
import type { TopicPartition } from '../record.ts';
import { failure, hopeless } from './failure.ts';
import type { Link } from './link.ts';
import { race } from './race.ts';

const earliest = '-2';
const latest = '-1';
const readCommitted = 1;

/**
 * Of each partition: where it begins, where it ends for a reader, or the first message of that time or later, which is its end where there
 * is none. Asks again until every leader has answered, or the signal aborts; after `patience`, in milliseconds, without those that have not.
 */
export async function offsetsAt(
  link: Link,
  partitions: readonly TopicPartition[],
  at: 'earliest' | 'latest' | number,
  { signal, patience = Infinity }: { readonly signal: AbortSignal; readonly patience?: number },
): Promise<Map<TopicPartition, bigint>> {
  const timestamp = at === 'earliest' ? earliest : at === 'latest' ? latest : String(Math.trunc(at));
  const until = performance.now() + patience;
  const found = await ask(link, partitions, timestamp, signal, until);
  const none = [...found].flatMap(([partition, offset]) => (offset < 0n ? [partition] : []));
  for (const [partition, end] of await ask(link, none, latest, signal, until)) found.set(partition, end);
  return found;
}

async function ask(
  link: Link,
  partitions: readonly TopicPartition[],
  timestamp: string,
  signal: AbortSignal,
  until: number,
): Promise<Map<TopicPartition, bigint>> {
  const found = new Map<TopicPartition, bigint>();
  const delays = backoff({ min: 30, max: 500 });
  for (;;) {
    const missing = partitions.filter((partition) => !found.has(partition));
    if (missing.length === 0) return found;
    const byLeader = Map.groupBy(missing, ({ topic, partition }) => link.leader(topic, partition));
    const asked = [...byLeader].map(async ([leader, of]) => {
      if (leader !== undefined)
        for (const [key, offset] of await askLeader(link, leader, of, timestamp)) found.set(key, offset);
    });
    const answers = await race(Promise.allSettled(asked), signal);
    if (found.size === partitions.length || performance.now() > until) return found;
    const [failed] = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    const error = failure(failed ?? new Error('no leader'), { what: 'look for offsets', ...missing[0] });
    if (hopeless(error) && error.code !== 'unknown-topic') throw error;
    await delays.wait({ signal });
    await race(
      link.look([...new Set(missing.map(({ topic }) => topic))]).catch(() => {}),
      signal,
    );
  }
}

async function askLeader(
  link: Link,
  leader: number,
  partitions: readonly TopicPartition[],
  timestamp: string,
): Promise<(readonly [TopicPartition, bigint])[]> {
  const broker = await link.broker(leader);
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
  const { responses } = await broker.listOffsets({
    isolationLevel: readCommitted,
    topics: [...byTopic].map(([topic, of]) => ({
      topic,
      partitions: of.map(({ partition }) => ({ partition, timestamp })),
    })),
  });
  return responses.flatMap(({ topic, partitions: answers }) =>
    answers.flatMap(({ partition, offset }) => {
      const asked = partitions.find((other) => other.topic === topic && other.partition === partition);
      return asked ? [[asked, BigInt(offset)] as const] : [];
    }),
  );
}
