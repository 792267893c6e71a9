import { QuorateError } from '@quorate/core';

/** The client was closed, by us. */
export class SessionClosedError extends QuorateError {
  constructor(options: { readonly cause?: unknown } = {}) {
    super('the ZooKeeper client is closed; connect again for a new session', { ...options, code: 'session-closed' });
  }
}
