import { QuorateError } from '@quorate/core';
import type { SagaReport } from '../carried/saga-report.ts';

export type WorkflowOutcome = 'failed' | 'cancelled' | 'terminated' | 'timed-out';

export interface WorkflowFailure {
  readonly id: string;
  readonly runId: string | undefined;
  readonly outcome: WorkflowOutcome;
  /** The code of the error behind it, where it had one. */
  readonly reason: string;
  readonly message: string;
  readonly undone: SagaReport | undefined;
  readonly cause: unknown;
}

/** The workflow has ended without a result. */
export class WorkflowFailedError extends QuorateError {
  readonly id: string;
  readonly runId: string | undefined;
  readonly outcome: WorkflowOutcome;
  readonly reason: string;
  /** What became of its sagas, when it failed. */
  readonly undone: SagaReport | undefined;

  constructor({ id, runId, outcome, reason, message, undone, cause }: WorkflowFailure) {
    super(`the workflow "${id}" ${said[outcome]}: ${message}`, { code: `workflow-${outcome}`, cause });
    this.id = id;
    this.runId = runId;
    this.outcome = outcome;
    this.reason = reason;
    this.undone = undone;
  }
}

const said = { failed: 'failed', cancelled: 'was cancelled', terminated: 'was terminated', 'timed-out': 'timed out' };
