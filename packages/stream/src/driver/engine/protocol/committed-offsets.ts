import { type CommitResult, type CommittedTopic, commitResults, committedTopic } from './committed-topic.ts';
import type { Reader } from './reader.ts';
import type { Request } from './request.ts';

export interface OffsetFetchAsk {
  readonly groups: readonly {
    readonly groupId: string;
    /** Null: all of which the group has committed something. */
    readonly topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[] | null;
  }[];
  /** Whether offsets that a transaction commits just now are an error, until it is settled. */
  readonly requireStable: boolean;
}

export interface OffsetFetchAnswer {
  readonly groups: readonly OffsetFetchGroup[];
}

interface OffsetFetchGroup {
  readonly groupId: string;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly FetchedOffset[];
  }[];
  readonly errorCode: number;
}

interface FetchedOffset {
  readonly partitionIndex: number;
  /** -1n when nothing is committed. */
  readonly committedOffset: bigint;
  readonly errorCode: number;
}

export interface OffsetCommitAsk {
  readonly groupId: string;
  /** -1 and an empty name: of no member. */
  readonly generationId: number;
  readonly memberId: string;
  readonly topics: readonly CommittedTopic[];
}

export interface OffsetCommitAnswer {
  readonly topics: readonly CommitResult[];
}

export const offsetFetch: Request<OffsetFetchAsk, OffsetFetchAnswer> = {
  name: 'OffsetFetch',
  key: 9,
  version: 8,
  tagged: { request: true, answer: true },
  write(writer, { groups, requireStable }) {
    writer
      .compactArray(groups, (_, { groupId, topics }) =>
        writer
          .compactString(groupId)
          .compactArray(topics, (_, { name, partitionIndexes }) =>
            writer
              .compactString(name)
              .compactArray(partitionIndexes, (_, index) => writer.int32(index))
              .noTags(),
          )
          .noTags(),
      )
      .boolean(requireStable)
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    return { groups: reader.compactArray(groupOf) };
  },
};

export const offsetCommit: Request<OffsetCommitAsk, OffsetCommitAnswer> = {
  name: 'OffsetCommit',
  key: 8,
  version: 8,
  tagged: { request: true, answer: true },
  write(writer, { groupId, generationId, memberId, topics }) {
    writer
      .compactString(groupId)
      .int32(generationId)
      .compactString(memberId)
      .compactString(null) // no name of an instance
      .compactArray(topics, committedTopic)
      .noTags();
  },
  read: commitResults,
};

function groupOf(reader: Reader): OffsetFetchGroup {
  const groupId = reader.compactString();
  const topics = reader.compactArray(() => {
    const name = reader.compactString();
    const partitions = reader.compactArray(offsetOf);
    reader.skipTags();
    return { name, partitions };
  });
  const errorCode = reader.int16();
  reader.skipTags();
  return { groupId, topics, errorCode };
}

function offsetOf(reader: Reader): FetchedOffset {
  const partitionIndex = reader.int32();
  const committedOffset = reader.int64();
  reader.skip(4 /* epoch of the leader */);
  reader.compactNullableString(); // what the commit said besides
  const errorCode = reader.int16();
  reader.skipTags();
  return { partitionIndex, committedOffset, errorCode };
}
