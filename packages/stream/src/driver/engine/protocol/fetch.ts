import type { Reader } from './reader.ts';
import type { Request } from './request.ts';

export interface FetchAsk {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly topics: readonly {
    readonly topicId: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly fetchOffset: bigint;
      readonly partitionMaxBytes: number;
    }[];
  }[];
}

export interface FetchAnswer {
  readonly errorCode: number;
  readonly responses: readonly {
    readonly topicId: string;
    readonly partitions: readonly FetchedPartition[];
  }[];
}

export interface FetchedPartition {
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
  readonly abortedTransactions: readonly AbortedTransaction[];
  /** Batches as Kafka keeps them, the last one perhaps cut short. A window on the answer. */
  readonly records: Buffer | null;
}

/** The batches of this producer from this offset on, up to the marker that ends the transaction. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

const readCommitted = 1;
const noReplica = -1;
/** No session: a broker that remembers what it was asked answers one bad partition with an error for all. */
const session = { id: 0, epoch: -1 } as const;
const unknown = { epoch: -1, offset: -1n } as const;

export const fetch: Request<FetchAsk, FetchAnswer> = {
  name: 'Fetch',
  key: 1,
  version: 13,
  tagged: { request: true, answer: true },
  write(writer, { maxWaitMs, minBytes, maxBytes, topics }) {
    writer
      .int32(noReplica)
      .int32(maxWaitMs)
      .int32(minBytes)
      .int32(maxBytes)
      .int8(readCommitted)
      .int32(session.id)
      .int32(session.epoch)
      .compactArray(topics, (_, { topicId, partitions }) =>
        writer
          .uuid(topicId)
          .compactArray(partitions, (_, { partition, fetchOffset, partitionMaxBytes }) =>
            writer
              .int32(partition)
              .int32(unknown.epoch) // of the leader
              .int64(fetchOffset)
              .int32(unknown.epoch) // of what was fetched last
              .int64(unknown.offset) // where our log begins: a replica's
              .int32(partitionMaxBytes)
              .noTags(),
          )
          .noTags(),
      )
      .compactArray([], () => {}) // nothing to forget without a session
      .compactString('') // no rack
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const errorCode = reader.int16();
    reader.skip(4 /* session */);
    const responses = reader.compactArray(() => {
      const topicId = reader.uuid();
      const partitions = reader.compactArray(partitionOf);
      reader.skipTags();
      return { topicId, partitions };
    });
    return { errorCode, responses };
  },
};

function partitionOf(reader: Reader): FetchedPartition {
  const partitionIndex = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  reader.skip(8 /* where the log begins */);
  const abortedTransactions = reader.compactNullableArray(abortedOf) ?? [];
  reader.skip(4 /* a replica to read from */);
  const records = reader.compactNullableBytes();
  reader.skipTags();
  return { partitionIndex, errorCode, highWatermark, lastStableOffset, abortedTransactions, records };
}

function abortedOf(reader: Reader): AbortedTransaction {
  const producerId = reader.int64();
  const firstOffset = reader.int64();
  reader.skipTags();
  return { producerId, firstOffset };
}
