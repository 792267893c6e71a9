import { AsyncLocalStorage } from 'node:async_hooks';
import { QuorateError } from '@quorate/core';

/** What an activity knows of the step that it is. */
export interface Step {
  /** The same in every attempt, and no other step's. To others it can be an idempotency key. */
  readonly key: string;
  /** While a step of a saga is undone: the keys of what it did, the last first. Nothing elsewhere, and where a child workflow did it. */
  readonly undoes: readonly string[] | undefined;
  /** The fencing token that the workflow was started with; else that of the election by which the worker runs. */
  readonly token: bigint | undefined;
  /** Counted from 1. */
  readonly attempt: number;
  /** Aborts when the work is not wanted any more, when the worker stops, or when it may not run any longer. */
  readonly signal: AbortSignal;
}

export const currentStep: AsyncLocalStorage<Step> = new AsyncLocalStorage<Step>();

/** The step that the running activity is. */
export function step(): Step {
  const current = currentStep.getStore();
  if (current !== undefined) return current;
  throw new QuorateError('step() is of use only within an activity, on a worker of workflows.worker()', {
    code: 'no-activity',
    happened: 'no',
  });
}
