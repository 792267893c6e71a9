import { QuorateError } from '@quorate/core';

/** There is no workflow of this id, or it has ended and can not be told anything any more. Nothing was changed. */
export class UnknownWorkflowError extends QuorateError {
  readonly id: string;

  constructor(what: string, id: string, options: { readonly cause?: unknown } = {}) {
    super(`${what}: there is no workflow "${id}", or it has ended`, {
      ...options,
      code: 'unknown-workflow',
      happened: 'no',
    });
    this.id = id;
  }
}
