import { QuorateError } from '@quorate/core';

/** A workflow of this id is there already. Nothing was started. */
export class AlreadyStartedError extends QuorateError {
  readonly id: string;

  constructor(id: string, why: string, options: { readonly cause?: unknown } = {}) {
    super(`the workflow "${id}" was not started: ${why}`, { ...options, code: 'already-started', happened: 'no' });
    this.id = id;
  }
}
