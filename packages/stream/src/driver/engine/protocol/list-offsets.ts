import type { Reader } from './reader.ts';
import type { Request } from './request.ts';

export interface ListOffsetsAsk {
  /** 0: of all that was written; 1: of committed transactions only. */
  readonly isolationLevel: 0 | 1;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      /** -2n: where it begins; -1n: where it ends; else of the first message of that time or later. */
      readonly timestamp: bigint;
    }[];
  }[];
}

export interface ListOffsetsAnswer {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly ListedOffset[];
  }[];
}

interface ListedOffset {
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly timestamp: bigint;
  /** -1n: there is no such message. */
  readonly offset: bigint;
}

const noReplica = -1;
const noEpoch = -1;

export const listOffsets: Request<ListOffsetsAsk, ListOffsetsAnswer> = {
  name: 'ListOffsets',
  key: 2,
  version: 7,
  tagged: { request: true, answer: true },
  write(writer, { isolationLevel, topics }) {
    writer
      .int32(noReplica)
      .int8(isolationLevel)
      .compactArray(topics, (_, { name, partitions }) =>
        writer
          .compactString(name)
          .compactArray(partitions, (_, { partitionIndex, timestamp }) =>
            writer.int32(partitionIndex).int32(noEpoch).int64(timestamp).noTags(),
          )
          .noTags(),
      )
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const topics = reader.compactArray(() => {
      const name = reader.compactString();
      const partitions = reader.compactArray(offsetOf);
      reader.skipTags();
      return { name, partitions };
    });
    return { topics };
  },
};

function offsetOf(reader: Reader): ListedOffset {
  const partitionIndex = reader.int32();
  const errorCode = reader.int16();
  const timestamp = reader.int64();
  const offset = reader.int64();
  reader.skip(4 /* epoch of the leader */);
  reader.skipTags();
  return { partitionIndex, errorCode, timestamp, offset };
}
