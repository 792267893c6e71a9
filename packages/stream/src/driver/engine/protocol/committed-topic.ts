import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** What is committed for a topic, by a group or by a transaction for it. */
export interface CommittedTopic {
  readonly name: string;
  readonly partitions: readonly { readonly partitionIndex: number; readonly committedOffset: bigint }[];
}

/** What came of it. */
export interface CommitResult {
  readonly name: string;
  readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[];
}

const noEpoch = -1;

export function committedTopic(writer: Writer, { name, partitions }: CommittedTopic): void {
  writer
    .compactString(name)
    .compactArray(partitions, (_, { partitionIndex, committedOffset }) =>
      writer
        .int32(partitionIndex)
        .int64(committedOffset)
        .int32(noEpoch)
        .compactString('') // nothing said besides
        .noTags(),
    )
    .noTags();
}

/** All that is in the answer, whoever asked. */
export function commitResults(reader: Reader): { readonly topics: readonly CommitResult[] } {
  reader.skip(4 /* how long the client is to wait */);
  return { topics: reader.compactArray(commitResult) };
}

function commitResult(reader: Reader): CommitResult {
  const name = reader.compactString();
  const partitions = reader.compactArray(() => {
    const partitionIndex = reader.int32();
    const errorCode = reader.int16();
    reader.skipTags();
    return { partitionIndex, errorCode };
  });
  reader.skipTags();
  return { name, partitions };
}
