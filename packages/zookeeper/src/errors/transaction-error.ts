import { QuorateError } from '@quorate/core';
import type { ServerError } from './server-error.ts';

/**
 * A transaction failed. `code` is that of the operation that failed. When `happened` is `no`, nothing of it was done; it is
 * `unknown` when the server reports a failure of its own instead of a refusal: all of it may have been done, or nothing.
 */
export class TransactionError extends QuorateError {
  /** Which operation failed, counted from 0. */
  readonly index: number;

  constructor(index: number, cause: ServerError) {
    const outcome =
      cause.happened === 'no'
        ? 'the transaction was not committed'
        : 'the transaction failed, and it is not known whether it was committed';
    super(`${outcome}: operation ${index}: ${cause.message}`, {
      code: cause.code,
      retryable: cause.retryable,
      happened: cause.happened,
      cause,
    });
    this.index = index;
  }
}
