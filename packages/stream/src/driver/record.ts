/** In order; a name may come more than once. */
export type KafkaHeaders = readonly (readonly [name: string, value: Buffer])[];

/** What Kafka keeps for a message. */
export interface KafkaRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: KafkaHeaders;
  /** Milliseconds since 1970, by the clock of whoever wrote it. */
  readonly timestamp: number;
  /** In bytes, where it is known without adding up. */
  readonly size?: number;
}

/** A record as it was read. What it consists of may be read when it is asked for: a spread would be without it. */
export interface ReadRecord extends KafkaRecord {
  readonly offset: bigint;
}

/** What Kafka adds to the bytes of a record is about this much. */
const overhead = 24;

/** In bytes, about. */
export function sizeOf(record: KafkaRecord): number {
  // First, and alone: to ask for the others makes them.
  if (record.size !== undefined) return record.size;
  const { key, value, headers } = record;
  let size = overhead + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, { length }] of headers) size += name.length + length + 4;
  return size;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The records that are to be appended to one partition, in this order and together. */
export interface RecordBatch extends TopicPartition {
  readonly records: readonly KafkaRecord[];
}
