import type { Request } from './request.ts';

export interface FindCoordinatorAsk {
  /** Of a group: 0; of a transactional id: 1. */
  readonly keyType: 0 | 1;
  readonly coordinatorKeys: readonly string[];
}

export interface FindCoordinatorAnswer {
  readonly coordinators: readonly {
    readonly key: string;
    readonly nodeId: number;
    readonly host: string;
    readonly port: number;
    readonly errorCode: number;
  }[];
}

export const findCoordinator: Request<FindCoordinatorAsk, FindCoordinatorAnswer> = {
  name: 'FindCoordinator',
  key: 10,
  version: 4,
  tagged: { request: true, answer: true },
  write(writer, { keyType, coordinatorKeys }) {
    writer
      .int8(keyType)
      .compactArray(coordinatorKeys, (_, key) => writer.compactString(key))
      .noTags();
  },
  read(reader) {
    reader.skip(4 /* how long the client is to wait */);
    const coordinators = reader.compactArray(() => {
      const key = reader.compactString();
      const nodeId = reader.int32();
      const host = reader.compactString();
      const port = reader.int32();
      const errorCode = reader.int16();
      reader.compactNullableString(); // the error in words
      reader.skipTags();
      return { key, nodeId, host, port, errorCode };
    });
    return { coordinators };
  },
};
