import { QuorateError } from '@quorate/core';

/** The workflow does not take the query or the update, or its handler threw an error. */
export class RefusedByWorkflowError extends QuorateError {
  readonly id: string;
  /** The code of the handler's error, where it had one. */
  readonly reason: string;

  constructor(
    what: string,
    {
      id,
      reason,
      why,
      cause,
    }: { readonly id: string; readonly reason: string; readonly why: string; readonly cause?: unknown },
  ) {
    super(`${what}: the workflow "${id}" refuses it: ${why}`, { code: 'refused-by-workflow', cause });
    this.id = id;
    this.reason = reason;
  }
}
