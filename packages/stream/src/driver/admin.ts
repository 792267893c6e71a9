import type { TopicPartition } from './record.ts';
import type { GroupOffset } from './transactor.ts';

export interface TopicShape {
  readonly partitions: number;
  readonly replication: number;
  /** Settings of the topic by Kafka's names, such as `retention.ms`. */
  readonly settings: Readonly<Record<string, string>>;
}

interface GroupMember {
  readonly id: string;
  readonly clientId: string;
  readonly host: string;
  readonly partitions: readonly TopicPartition[];
}

export interface GroupDescription {
  readonly state: string;
  readonly members: readonly GroupMember[];
}

/** Looks at a cluster, and changes what it is made of. */
export interface Admin {
  topics(signal: AbortSignal): Promise<readonly string[]>;
  /** Which broker leads each partition, by the partition's number, -1 where none does; undefined where there is no such topic. */
  leaders(topic: string, signal: AbortSignal): Promise<readonly number[] | undefined>;
  /** Undefined where there is no such topic. `settings` has those that were asked for. */
  describeTopic(name: string, settings: readonly string[], signal: AbortSignal): Promise<TopicShape | undefined>;
  /** Resolves, as soon as it can be written to, with whether it was made now. Replication -1: as the broker has it by default. */
  createTopic(name: string, shape: TopicShape, signal: AbortSignal): Promise<boolean>;
  /** Resolves when there are at least so many partitions: those that it lacks are added. */
  enlargeTopic(name: string, partitions: number, signal: AbortSignal): Promise<void>;
  deleteTopic(name: string, signal: AbortSignal): Promise<void>;
  /**
   * Of each partition of the topic: where it begins and ends, or the first message of that time or later. `lenient`: those are left out whose leader does not answer now, or that have
   * none.
   */
  offsets(
    topic: string,
    at: 'earliest' | 'latest' | number,
    signal: AbortSignal,
    options?: { readonly lenient?: boolean },
  ): Promise<ReadonlyMap<number, bigint>>;
  groups(signal: AbortSignal): Promise<readonly string[]>;
  describeGroup(group: string, signal: AbortSignal): Promise<GroupDescription>;
  /** What the group has committed; nothing for partitions without. */
  committed(group: string, topics: readonly string[], signal: AbortSignal): Promise<readonly GroupOffset[]>;
  /** For a group without members. */
  commit(group: string, offsets: readonly GroupOffset[], signal: AbortSignal): Promise<void>;
  deleteGroup(group: string, signal: AbortSignal): Promise<void>;
}
