import { QuorateError } from '@quorate/core';

/** One connection to one server ended. The session may live on: another connection is tried at once. */
export class ConnectionLostError extends QuorateError {
  constructor(server: string, why: string, options: { readonly cause?: unknown } = {}) {
    super(`${server}: ${why}`, { ...options, code: 'connection-lost', retryable: true });
  }
}
