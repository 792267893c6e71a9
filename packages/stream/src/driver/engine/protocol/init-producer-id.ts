import type { Request } from './request.ts';

export interface InitProducerIdAsk {
  readonly transactionalId: string | null;
  readonly transactionTimeoutMs: number;
  /** What the producer has; -1n and -1 for one that has none. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

export interface InitProducerIdAnswer {
  readonly errorCode: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

export const initProducerId: Request<InitProducerIdAsk, InitProducerIdAnswer> = {
  name: 'InitProducerId',
  key: 22,
  version: 4,
  tagged: { request: true, answer: true },
  write(writer, { transactionalId, transactionTimeoutMs, producerId, producerEpoch }) {
    writer.compactString(transactionalId).int32(transactionTimeoutMs).int64(producerId).int16(producerEpoch).noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const errorCode = reader.int16();
    const producerId = reader.int64();
    const producerEpoch = reader.int16();
    return { errorCode, producerId, producerEpoch };
  },
};
