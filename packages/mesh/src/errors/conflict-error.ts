import { QuorateError } from '@quorate/core';

/** The value is not what it was when it was read, or somebody else holds the key: nothing was written. The same write
 * cannot succeed: read again. */
export class ConflictError extends QuorateError {
  readonly key: string;

  constructor(operation: string, key: string) {
    super(`${operation}: it has been changed, or is held, by another client`, { code: 'conflict', happened: 'no' });
    this.key = key;
  }
}
