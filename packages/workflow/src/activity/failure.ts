import { isQuorateError, mayRetry } from '@quorate/core';
import type { Info } from '@temporalio/activity';
import { ApplicationFailure, CompleteAsyncError, TemporalFailure } from '@temporalio/common';
import type { ErrorDetail } from '../carried/error-detail.ts';

export interface FailureOptions {
  /** Doing it twice does no harm, so what nobody knows is tried again. */
  readonly idempotent?: boolean;
}

/** What the workflow is told of an error: its code as the type, and whether trying it again is of use. */
export function failureOf(error: unknown, info: Info, { idempotent = false }: FailureOptions = {}): unknown {
  if (error instanceof TemporalFailure || error instanceof CompleteAsyncError || !isQuorateError(error)) return error;
  // An earlier attempt may have done it: all that is known of it is that it failed.
  const first = info.attempt === 1 && info.currentAttemptScheduledTimestampMs === info.scheduledTimestampMs;
  const detail: ErrorDetail = { happened: first ? error.happened : 'unknown' };
  const failure = ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: !mayRetry(error, { idempotent }),
    details: [detail],
    ...(error.cause instanceof Error && { cause: error.cause }),
  });
  if (error.stack !== undefined) failure.stack = error.stack;
  return failure;
}
