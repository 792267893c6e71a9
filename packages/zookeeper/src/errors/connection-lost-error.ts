import { QuorateError } from '@quorate/core';

/**
 * One connection to one server ended. The session may live on: another connection is tried at once. What was sent over it may
 * have happened: a write then fails with `ambiguous`, and this as its cause.
 */
export class ConnectionLostError extends QuorateError {
  constructor(server: string, why: string, options: { readonly cause?: unknown } = {}) {
    super(`${server}: ${why}`, { ...options, code: 'connection-lost' });
  }
}
