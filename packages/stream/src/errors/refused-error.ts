import { QuorateError } from '@quorate/core';

/** Kafka refused what was asked for. It was not done. */
export class RefusedError extends QuorateError {
  /** By Kafka's name for it, such as `INVALID_REPLICATION_FACTOR`. */
  readonly reason: string;

  constructor(what: string, reason: string, options: { readonly cause?: unknown; readonly retryable?: boolean } = {}) {
    super(`${what}: Kafka refuses it: ${reason}`, { ...options, code: 'refused', happened: 'no' });
    this.reason = reason;
  }
}
