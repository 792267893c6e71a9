import type { Message } from 'kafkajs';
import type { FetchAnswer } from './fetch-answer.ts';

/**
 * What is used of the package beneath its producers, consumers and admins: a cluster, its brokers, and the requests that they
 * take. Its own types know only some of it. The package is no longer released, so this stays as it is.
 */
export interface KafkajsCluster {
  /** The topics that are looked at by `refreshMetadata`: all there are when empty. */
  targetTopics: Set<string>;
  readonly brokerPool: {
    readonly metadata: Metadata | null;
    readonly seedBroker: Broker | undefined;
    createSeedBroker(): Promise<void>;
  };
  readonly connectionPoolBuilder: { build(at?: object): Promise<ConnectionPool> };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  getNodeIds(): string[];
  findBroker(which: { readonly nodeId: string }): Promise<Broker>;
}

interface Metadata {
  readonly brokers: readonly { readonly nodeId: number }[];
  readonly controllerId: number;
  readonly topicMetadata: readonly TopicMetadata[];
}

export interface TopicMetadata {
  readonly topicErrorCode: number;
  readonly topic: string;
  readonly isInternal?: boolean;
  readonly partitionMetadata: readonly {
    readonly partitionId: number;
    /** -1: there is none now. */
    readonly leader: number;
    readonly replicas: readonly number[];
  }[];
}

/** Two connections, of which the second one is for fetching. */
export interface ConnectionPool {
  readonly host: string;
  readonly port: number;
  readonly pool: readonly Connection[];
  send(asked: ProtocolRequest): Promise<unknown>;
  destroy(): Promise<void>;
}

export interface Connection {
  connect(): Promise<unknown>;
  readonly requestQueue: {
    readonly pending: readonly unknown[];
    readonly inflight: ReadonlyMap<
      number,
      { readonly sentAt: number; readonly requestTimeout: number; timeoutRequest(): void }
    >;
    requestTimeoutIntervalId: NodeJS.Timeout | undefined;
    isConnected(): boolean;
    scheduleRequestTimeoutCheck(): void;
    /** Ends its timers. */
    destroy(): void;
    readonly throttledUntil: number;
    throttleCheckTimeoutId: NodeJS.Timeout | null;
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
  };
}

export interface ProtocolRequest {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  };
  readonly response: {
    decode(bytes: Buffer): Promise<unknown>;
    parse(decoded: unknown): Promise<unknown>;
  };
}

interface PartitionCode {
  readonly partition: number;
  readonly errorCode: number;
}

interface OfTopics<T> {
  readonly topic: string;
  readonly partitions: readonly T[];
}

export interface JoinedGroup {
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  readonly groupProtocol: string;
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

interface DescribedGroup {
  readonly state: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly clientId: string;
    readonly clientHost: string;
    readonly memberAssignment: Buffer;
  }[];
}

interface Producer {
  readonly producerId: string;
  readonly producerEpoch: number;
}

interface InTransaction extends Producer {
  readonly transactionalId: string;
}

interface OfMember {
  readonly groupId: string;
  readonly groupGenerationId: number;
  readonly memberId: string;
}

export interface CommitTopic
  extends OfTopics<{ readonly partition: number; readonly offset: string; readonly metadata?: null }> {}

/** One broker, and what it can be asked for. Each rejects with the first refusal in its answer, unless `connections.ts` says otherwise. */
export interface Broker {
  readonly nodeId: number | string | null;
  /** By API key. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null;
  readonly connectionPool: ConnectionPool;
  metadata(topics: readonly string[]): Promise<Metadata>;
  findGroupCoordinator(of: { groupId: string; coordinatorType: number }): Promise<{ coordinator: { nodeId: number } }>;
  produce(
    records: {
      transactionalId?: string;
      acks: number;
      timeout: number;
      topicData: readonly OfTopics<{ partition: number; firstSequence: number; messages: readonly Message[] }>[];
    } & Producer,
  ): Promise<{
    topics: readonly {
      readonly topicName: string;
      readonly partitions: readonly (PartitionCode & { readonly baseOffset: string })[];
    }[];
  }>;
  fetch(what: {
    isolationLevel: number;
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    topics: readonly OfTopics<{ partition: number; fetchOffset: string; maxBytes: number }>[];
  }): Promise<FetchAnswer>;
  listOffsets(what: {
    isolationLevel: number;
    topics: readonly OfTopics<{ partition: number; timestamp: string }>[];
  }): Promise<{ responses: readonly OfTopics<{ readonly partition: number; readonly offset: string }>[] }>;
  joinGroup(as: {
    groupId: string;
    memberId: string;
    sessionTimeout: number;
    rebalanceTimeout: number;
    groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[];
  }): Promise<JoinedGroup>;
  syncGroup(as: {
    groupId: string;
    generationId: number;
    memberId: string;
    groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[];
  }): Promise<{ readonly memberAssignment: Buffer }>;
  heartbeat(as: OfMember): Promise<unknown>;
  leaveGroup(as: { groupId: string; memberId: string }): Promise<unknown>;
  offsetCommit(offsets: OfMember & { topics: readonly CommitTopic[] }): Promise<unknown>;
  offsetFetch(what: {
    groupId: string;
    topics: readonly OfTopics<{ readonly partition: number }>[];
  }): Promise<{ responses: readonly OfTopics<{ readonly partition: number; readonly offset: string }>[] }>;
  listGroups(): Promise<{ groups: readonly { readonly groupId: string }[] }>;
  describeGroups(which: { groupIds: readonly string[] }): Promise<{ groups: readonly DescribedGroup[] }>;
  deleteGroups(which: readonly string[]): Promise<{ results: readonly { readonly errorCode: number }[] }>;
  createTopics(what: {
    timeout: number;
    topics: readonly {
      readonly topic: string;
      readonly numPartitions: number;
      readonly replicationFactor: number;
      readonly configEntries: readonly { readonly name: string; readonly value: string }[];
    }[];
  }): Promise<unknown>;
  deleteTopics(which: { topics: readonly string[]; timeout: number }): Promise<unknown>;
  describeConfigs(of: {
    resources: readonly { readonly type: number; readonly name: string; readonly configNames: readonly string[] }[];
  }): Promise<{
    resources: readonly {
      readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[];
    }[];
  }>;
  initProducerId(as: { transactionalId?: string; transactionTimeout: number }): Promise<Producer>;
  addPartitionsToTxn(
    what: InTransaction & { topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[] },
  ): Promise<unknown>;
  addOffsetsToTxn(of: InTransaction & { groupId: string }): Promise<unknown>;
  txnOffsetCommit(offsets: InTransaction & { groupId: string; topics: readonly CommitTopic[] }): Promise<unknown>;
  endTxn(how: InTransaction & { transactionResult: boolean }): Promise<unknown>;
}
