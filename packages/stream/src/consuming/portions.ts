import { type RecordBatch, sizeOf } from '../driver/record.ts';
import type { Output } from '../topic/prepared.ts';
import { nameOf } from './assignment.ts';

/** What goes to Kafka one after the other: of each partition at most so many bytes at a time, unless it is a single record. */
export function portionsOf(outputs: readonly Output[], most: number): readonly (readonly RecordBatch[])[] {
  const portions: RecordBatch[][] = [];
  for (const theirs of Map.groupBy(outputs, nameOf).values()) {
    let records: Output['record'][] = [];
    let turn = -1;
    let bytes = 0;
    for (const { topic, partition, record } of theirs) {
      const size = sizeOf(record);
      if (turn < 0 || bytes + size > most) {
        records = [];
        bytes = 0;
        turn += 1;
        portions[turn] ??= [];
        portions[turn]?.push({ topic, partition, records });
      }
      records.push(record);
      bytes += size;
    }
  }
  return portions;
}
