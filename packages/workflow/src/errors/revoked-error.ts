import { QuorateError } from '@quorate/core';

/** The step was undone before it was done, by a saga that did not wait for it any longer. It was not done, and never will be. */
export class RevokedError extends QuorateError {
  readonly key: string;

  constructor(key: string) {
    super(`the step "${key}" was undone before it was done: it must not happen any more`, {
      code: 'revoked',
      happened: 'no',
    });
    this.key = key;
  }
}
