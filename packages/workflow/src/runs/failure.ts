import { WorkflowFailedError as LibraryError } from '@temporalio/client';
import { CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { detailOf } from '../carried/error-detail.ts';
import { messageOf, reasonOf } from '../carried/innermost.ts';
import { WorkflowFailedError, type WorkflowOutcome } from '../errors/workflow-failed-error.ts';

/** The error in our words, when it says that the workflow has ended without a result. */
export function endedAs(error: unknown, id: string, runId: string | undefined): WorkflowFailedError | undefined {
  if (!(error instanceof LibraryError)) return undefined;
  const { cause } = error;
  return new WorkflowFailedError({
    id,
    runId,
    outcome: outcomeOf(cause),
    reason: reasonOf(cause),
    message: cause === undefined ? error.message : messageOf(cause),
    undone: detailOf(cause)?.undone,
    cause,
  });
}

function outcomeOf(cause: unknown): WorkflowOutcome {
  if (cause instanceof CancelledFailure) return 'cancelled';
  if (cause instanceof TerminatedFailure) return 'terminated';
  return cause instanceof TimeoutFailure ? 'timed-out' : 'failed';
}
