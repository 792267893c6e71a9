import { QuorateError } from '@quorate/core';

/** The session is over: its ephemeral nodes are gone or soon will be, and its watches are. Connect again for a new one. */
export class SessionLostError extends QuorateError {
  constructor(why: string, options: { readonly cause?: unknown } = {}) {
    super(`the ZooKeeper session is lost: ${why}; connect again and read again before acting`, {
      ...options,
      code: 'session-lost',
    });
  }
}
