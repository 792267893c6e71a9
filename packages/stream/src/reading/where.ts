import { InvalidArgumentError } from '@quorate/core';
import type { Admin } from '../driver/admin.ts';

/** A place in a topic: its beginning, its end, the first message of a time or later, or an offset for each partition. */
export type Where = 'earliest' | 'latest' | Date | ReadonlyMap<number, bigint>;

/** The offset of each partition. Those of a map that are missing are left out. */
export async function offsetsAt(
  admin: Admin,
  topic: string,
  name: string,
  where: Where,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, bigint>> {
  if (where === 'earliest' || where === 'latest') return admin.offsets(topic, where, signal);
  if (where instanceof Date && Number.isFinite(where.getTime())) return admin.offsets(topic, where.getTime(), signal);
  if (!(where instanceof Map))
    throw new InvalidArgumentError(name, '"earliest", "latest", a Date, or a map of offsets by partition', where);
  const ends = await admin.offsets(topic, 'latest', signal);
  for (const [partition, offset] of where as ReadonlyMap<unknown, unknown>) {
    if (!ends.has(partition as number))
      throw new InvalidArgumentError(name, `partitions from 0 to ${ends.size - 1}`, partition);
    if (typeof offset !== 'bigint' || offset < 0n)
      throw new InvalidArgumentError(name, 'offsets: bigints of at least 0n', offset);
  }
  return where;
}
