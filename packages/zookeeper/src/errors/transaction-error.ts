import { QuorateError } from '@quorate/core';
import type { ServerError } from './server-error.ts';

/** A transaction did not commit: nothing of it happened. `code` is that of the operation that failed. */
export class TransactionError extends QuorateError {
  /** Which operation failed, counted from 0. */
  readonly index: number;

  constructor(index: number, cause: ServerError) {
    super(`the transaction was not committed: operation ${index}: ${cause.message}`, {
      code: cause.code,
      retryable: cause.retryable,
      happened: 'no',
      cause,
    });
    this.index = index;
  }
}
