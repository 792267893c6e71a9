import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/workflow';
import { detailOf } from '../carried/error-detail.ts';
import { innermost } from '../carried/innermost.ts';

/** Whether what was asked for certainly did not happen and never will. */
export function certainlyNot(error: unknown): boolean {
  return detailOf(innermost(error))?.happened === 'no';
}

/** Whether trying it again is of use. */
export function worthAnother(error: unknown): boolean {
  const inner = innermost(error);
  if (inner instanceof ApplicationFailure) return inner.nonRetryable !== true;
  return !(inner instanceof CancelledFailure);
}

/** Whether the error ends the run. Any other one is a fault of the program to Temporal: the task is tried again from the last state. */
export function endsRun(error: unknown): boolean {
  if (error instanceof TemporalFailure) return true;
  // What a workflow has declared by setWorkflowOptions. There is no public way to ask.
  const { __TEMPORAL_ACTIVATOR__: activator } = globalThis as {
    __TEMPORAL_ACTIVATOR__?: { isConfiguredFailureException?(error: unknown): boolean };
  };
  return activator?.isConfiguredFailureException?.(error) === true;
}
