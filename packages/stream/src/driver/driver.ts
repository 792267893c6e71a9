import type { Admin } from './admin.ts';
import type { Appender } from './appender.ts';
import type { GroupReader, GroupReaderEvents, GroupReaderOptions } from './group-reader.ts';
import type { PartitionReader, PartitionReaderEvents, PartitionReaderOptions } from './partition-reader.ts';
import type { Transactor } from './transactor.ts';

export type DriverName = 'kafkajs' | 'platformatic';

/** The one that is taken unless another is asked for. Why: docs/decisions/kafka-clients.md. */
export const usualDriver: DriverName = 'platformatic';

/**
 * What this package needs of Kafka. There is one for each library, which differ in their connections alone and pass the same tests: no
 * caller needs to know which one it is.
 *
 * Everything that waits ends with its signal. Errors are `QuorateError`s: `happened: 'no'` only where the broker said so, or was never asked.
 */
export interface Driver {
  readonly name: DriverName;
  /** For records that belong to no transaction. */
  appender(options: { readonly signal: AbortSignal }): Promise<Appender>;
  /** Takes the transactional id over from whoever had it: what they had begun is aborted, and what they try from now on is refused. */
  transactor(id: string, options: { readonly timeout: number; readonly signal: AbortSignal }): Promise<Transactor>;
  /** Reads as a member of a group. */
  readGroup(options: GroupReaderOptions, events: GroupReaderEvents): Promise<GroupReader>;
  /** Reads partitions without any group, and remembers nothing in Kafka. */
  readPartitions(options: PartitionReaderOptions, events: PartitionReaderEvents): Promise<PartitionReader>;
  readonly admin: Admin;
  /** Resolves when every connection is closed, also those of readers and appenders that were left open. Idempotent. */
  close(): Promise<void>;
}
