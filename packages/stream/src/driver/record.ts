/** What Kafka keeps for a message. */
export interface KafkaRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** In order; a name may come more than once. */
  readonly headers: readonly (readonly [name: string, value: Buffer])[];
  /** Milliseconds since 1970, by the clock of whoever wrote it. */
  readonly timestamp: number;
}

/** A record as it was read. */
export interface ReadRecord extends KafkaRecord {
  readonly offset: bigint;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The records that are to be appended to one partition, in this order and together. */
export interface RecordBatch extends TopicPartition {
  readonly records: readonly KafkaRecord[];
}
