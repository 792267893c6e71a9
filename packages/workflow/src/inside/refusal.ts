import { isQuorateError } from '@quorate/core';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';

/**
 * Fails the workflow with a word that programs can match. Any other error would fail only the task, which is tried again for ever.
 */
export function refusal(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}

/** The same of what our own functions refuse: bad options end the workflow, rather than hold it. */
export function refusing<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (error instanceof TemporalFailure || !isQuorateError(error)) throw error;
    throw refusal(error.code, error.message);
  }
}
