import { type CommitResult, type CommittedTopic, commitResults, committedTopic } from './committed-topic.ts';
import type { Reader } from './reader.ts';
import type { Request } from './request.ts';

interface InTransaction {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

export interface AddPartitionsToTxnAsk extends InTransaction {
  readonly topics: readonly { readonly name: string; readonly partitions: readonly number[] }[];
}

export interface AddPartitionsToTxnAnswer {
  readonly resultsByTopic: readonly {
    readonly name: string;
    readonly resultsByPartition: readonly {
      readonly partitionIndex: number;
      readonly partitionErrorCode: number;
    }[];
  }[];
}

export interface AddOffsetsToTxnAsk extends InTransaction {
  readonly groupId: string;
}

export interface AddOffsetsToTxnAnswer {
  readonly errorCode: number;
}

export interface TxnOffsetCommitAsk extends InTransaction {
  readonly groupId: string;
  /** -1 and an empty name: of no member. */
  readonly generationId: number;
  readonly memberId: string;
  readonly topics: readonly CommittedTopic[];
}

export interface TxnOffsetCommitAnswer {
  readonly topics: readonly CommitResult[];
}

export interface EndTxnAsk extends InTransaction {
  readonly committed: boolean;
}

export interface EndTxnAnswer {
  readonly errorCode: number;
}

const tagged = { request: true, answer: true } as const;

/** The last version that is for clients: the next one is for brokers among themselves. */
export const addPartitionsToTxn: Request<AddPartitionsToTxnAsk, AddPartitionsToTxnAnswer> = {
  name: 'AddPartitionsToTxn',
  key: 24,
  version: 3,
  tagged,
  write(writer, { transactionalId, producerId, producerEpoch, topics }) {
    writer
      .compactString(transactionalId)
      .int64(producerId)
      .int16(producerEpoch)
      .compactArray(topics, (_, { name, partitions }) =>
        writer
          .compactString(name)
          .compactArray(partitions, (_, partition) => writer.int32(partition))
          .noTags(),
      )
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const resultsByTopic = reader.compactArray(() => {
      const name = reader.compactString();
      const resultsByPartition = reader.compactArray(() => {
        const partitionIndex = reader.int32();
        const partitionErrorCode = reader.int16();
        reader.skipTags();
        return { partitionIndex, partitionErrorCode };
      });
      reader.skipTags();
      return { name, resultsByPartition };
    });
    return { resultsByTopic };
  },
};

export const addOffsetsToTxn: Request<AddOffsetsToTxnAsk, AddOffsetsToTxnAnswer> = {
  name: 'AddOffsetsToTxn',
  key: 25,
  version: 3,
  tagged,
  write(writer, { transactionalId, producerId, producerEpoch, groupId }) {
    writer.compactString(transactionalId).int64(producerId).int16(producerEpoch).compactString(groupId).noTags();
  },
  read: onlyErrorCode,
};

export const txnOffsetCommit: Request<TxnOffsetCommitAsk, TxnOffsetCommitAnswer> = {
  name: 'TxnOffsetCommit',
  key: 28,
  version: 3,
  tagged,
  write(writer, { transactionalId, groupId, producerId, producerEpoch, generationId, memberId, topics }) {
    writer
      .compactString(transactionalId)
      .compactString(groupId)
      .int64(producerId)
      .int16(producerEpoch)
      .int32(generationId)
      .compactString(memberId)
      .compactString(null) // no name of an instance
      .compactArray(topics, committedTopic)
      .noTags();
  },
  read: commitResults,
};

export const endTxn: Request<EndTxnAsk, EndTxnAnswer> = {
  name: 'EndTxn',
  key: 26,
  version: 3,
  tagged,
  write(writer, { transactionalId, producerId, producerEpoch, committed }) {
    writer.compactString(transactionalId).int64(producerId).int16(producerEpoch).boolean(committed).noTags();
  },
  read: onlyErrorCode,
};

function onlyErrorCode(reader: Reader): { readonly errorCode: number } {
  reader.skip(4 /* how long the client is to wait */);
  return { errorCode: reader.int16() };
}
