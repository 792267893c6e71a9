import { QuorateError } from '@quorate/core';

/** The server sent bytes that are not the protocol. The connection they came over is dropped. */
export class MalformedFrameError extends QuorateError {
  constructor(found: string, options: { readonly cause?: unknown } = {}) {
    super(
      `the server sent a malformed frame: ${found}; is this a ZooKeeper client port, with TLS on both sides or none?`,
      {
        ...options,
        code: 'malformed-frame',
      },
    );
  }
}
