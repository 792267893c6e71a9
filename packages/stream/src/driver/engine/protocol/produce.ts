import type { Reader } from './reader.ts';
import type { Request } from './request.ts';

export interface ProduceAsk {
  readonly transactionalId: string | null;
  readonly timeoutMs: number;
  readonly topics: readonly {
    readonly name: string;
    /** Batches as Kafka keeps them. They are not to change before the request is written. */
    readonly partitions: readonly { readonly index: number; readonly batch: Buffer }[];
  }[];
}

export interface ProduceAnswer {
  readonly responses: readonly {
    readonly name: string;
    readonly partitions: readonly ProducedPartition[];
  }[];
}

interface ProducedPartition {
  readonly index: number;
  readonly errorCode: number;
  /** -1n when nothing was written. */
  readonly baseOffset: bigint;
}

/** The leader answers when all replicas in sync have it. */
const byAll = -1;

export const produce: Request<ProduceAsk, ProduceAnswer> = {
  name: 'Produce',
  key: 0,
  version: 9,
  tagged: { request: true, answer: true },
  write(writer, { transactionalId, timeoutMs, topics }) {
    writer
      .compactString(transactionalId)
      .int16(byAll)
      .int32(timeoutMs)
      .compactArray(topics, (_, { name, partitions }) =>
        writer
          .compactString(name)
          .compactArray(partitions, (_, { index, batch }) => writer.int32(index).compactBytes(batch).noTags())
          .noTags(),
      )
      .noTags();
  },
  read(reader) {
    const responses = reader.compactArray(() => {
      const name = reader.compactString();
      const partitions = reader.compactArray(partitionOf);
      reader.skipTags();
      return { name, partitions };
    });
    return { responses };
  },
};

function partitionOf(reader: Reader): ProducedPartition {
  const index = reader.int32();
  const errorCode = reader.int16();
  const baseOffset = reader.int64();
  reader.skip(8 /* time of the append */ + 8 /* where the log begins */);
  reader.compactArray(refusedRecord);
  reader.compactNullableString(); // the error in words
  reader.skipTags();
  return { index, errorCode, baseOffset };
}

function refusedRecord(reader: Reader): void {
  reader.skip(4 /* its number */);
  reader.compactNullableString(); // why
  reader.skipTags();
}
