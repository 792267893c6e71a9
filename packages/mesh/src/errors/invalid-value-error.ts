import { QuorateError } from '@quorate/core';

/** What is stored under the key is not what was expected there. */
export class InvalidValueError extends QuorateError {
  readonly key: string;

  constructor(key: string, why: string) {
    super(`${key}: ${why}`, { code: 'invalid-value' });
    this.key = key;
  }
}
