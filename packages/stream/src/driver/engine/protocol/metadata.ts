import type { Reader } from './reader.ts';
import type { Request } from './request.ts';

export interface MetadataAsk {
  /** By name; null: all that there are. */
  readonly topics: readonly string[] | null;
}

export interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  /** -1 when nobody knows. */
  readonly controllerId: number;
  readonly topics: readonly MetadataTopic[];
}

interface MetadataTopic {
  readonly errorCode: number;
  /** Empty when the broker does not say. */
  readonly name: string;
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly partitions: readonly MetadataPartition[];
}

interface MetadataPartition {
  readonly errorCode: number;
  readonly partitionIndex: number;
  /** -1 when there is none. */
  readonly leaderId: number;
  readonly replicaNodes: readonly number[];
}

export const metadata: Request<MetadataAsk, MetadataAnswer> = {
  name: 'Metadata',
  key: 3,
  version: 12,
  tagged: { request: true, answer: true },
  write(writer, { topics }) {
    writer
      .compactArray(topics, (_, name) => writer.uuid(null).compactString(name).noTags())
      // Topics are not made by asking for them, and what we may do with them is not asked.
      .boolean(false)
      .boolean(false)
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const brokers = reader.compactArray(brokerOf);
    reader.compactNullableString(); // the cluster's id
    const controllerId = reader.int32();
    return { brokers, controllerId, topics: reader.compactArray(topicOf) };
  },
};

function brokerOf(reader: Reader): MetadataAnswer['brokers'][number] {
  const nodeId = reader.int32();
  const host = reader.compactString();
  const port = reader.int32();
  reader.compactNullableString(); // its rack
  reader.skipTags();
  return { nodeId, host, port };
}

function topicOf(reader: Reader): MetadataTopic {
  const errorCode = reader.int16();
  const name = reader.compactNullableString() ?? '';
  const topicId = reader.uuid();
  const isInternal = reader.boolean();
  const partitions = reader.compactArray(partitionOf);
  reader.skip(4 /* what we may do */);
  reader.skipTags();
  return { errorCode, name, topicId, isInternal, partitions };
}

function partitionOf(reader: Reader): MetadataPartition {
  const errorCode = reader.int16();
  const partitionIndex = reader.int32();
  const leaderId = reader.int32();
  reader.skip(4 /* epoch of the leader */);
  const replicaNodes = reader.compactArray(nodeOf);
  reader.compactArray(nodeOf); // those in sync
  reader.compactArray(nodeOf); // those that are not there
  reader.skipTags();
  return { errorCode, partitionIndex, leaderId, replicaNodes };
}

function nodeOf(reader: Reader): number {
  return reader.int32();
}
