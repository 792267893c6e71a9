import { deadTopicOf } from '../consuming/dead-letters.ts';
import type { Driver } from '../driver/driver.ts';
import type { KafkaRecord } from '../driver/record.ts';
import { type Range, readRanges } from '../reading/read-ranges.ts';
import { headerNames, headersByName, isMark } from '../topic/headers.ts';

/** What knows how far it has come, without a look at every letter: a group that never has members. */
export const redeliveryGroup = 'quorate-redelivery';

/**
 * Kafka forgets, after some days, what a group without members has committed. So the same is written behind the letters, where it is kept as long as they are: it is younger
 * than all of which it tells, and goes with the topic.
 */
export function markOf(position: bigint): KafkaRecord {
  const text = Buffer.from(String(position));
  // A topic that is compacted keeps the newest one.
  return {
    key: Buffer.from(redeliveryGroup),
    value: text,
    headers: [[headerNames.redelivered, text]],
    timestamp: Date.now(),
  };
}

/** How far the redelivery of the dead letters of a topic has come, by partition, of those of which these ranges are all that there is. */
export async function redelivered(
  driver: Driver,
  topic: string,
  ranges: ReadonlyMap<number, Range>,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, bigint>> {
  const dead = deadTopicOf(topic);
  const positions = new Map<number, bigint>();
  for (const { partition, offset } of await driver.admin.committed(redeliveryGroup, [dead], signal))
    positions.set(partition, offset);
  const forgotten = new Map([...ranges].filter(([partition]) => !positions.has(partition)));
  await readRanges(
    driver,
    dead,
    forgotten,
    (partition, { offset, headers }) => {
      const told = headersByName(headers)[headerNames.redelivered] ?? '';
      if (!isMark(dead, { headers }) || !/^\d{1,19}$/.test(told)) return undefined;
      const position = BigInt(told);
      if (position <= offset && position > (positions.get(partition) ?? 0n)) positions.set(partition, position);
      return undefined;
    },
    signal,
  );
  return positions;
}
