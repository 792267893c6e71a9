import { QuorateError } from '@quorate/core';

/** The workflow does not get on: its own code fails at the same point again and again. It has not ended: with code that is mended it goes on. */
export class WorkflowStuckError extends QuorateError {
  readonly id: string;
  readonly attempts: number;

  constructor(id: string, attempts: number, why: string) {
    super(
      `the workflow "${id}" does not get on: its code failed ${attempts} times at the same point: ${why}; mend the code, and it goes on, or terminate it`,
      { code: 'workflow-stuck' },
    );
    this.id = id;
    this.attempts = attempts;
  }
}
