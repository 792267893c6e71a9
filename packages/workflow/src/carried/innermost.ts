import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/common';

/** The error that somebody's code has thrown, below the wrappings of activities and children. */
export function innermost(error: unknown): unknown {
  let inner = error;
  while ((inner instanceof ActivityFailure || inner instanceof ChildWorkflowFailure) && inner.cause !== undefined)
    inner = inner.cause;
  return inner;
}

/** Its code, where it has one. */
export function reasonOf(error: unknown): string {
  const inner = innermost(error);
  if (inner instanceof ApplicationFailure) return inner.type ?? 'error';
  if (inner instanceof TimeoutFailure) return 'deadline-exceeded';
  if (inner instanceof CancelledFailure) return 'cancelled';
  return inner instanceof TerminatedFailure ? 'terminated' : 'error';
}

/** What it says, in one line. */
export function messageOf(error: unknown): string {
  const inner = innermost(error);
  return inner instanceof Error ? inner.message : String(inner);
}
