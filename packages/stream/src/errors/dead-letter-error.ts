import { QuorateError } from '@quorate/core';

/** Thrown by a handler: trying again is of no use, so the message becomes a dead letter at once. */
export class DeadLetterError extends QuorateError {
  constructor(why: string, options: { readonly cause?: unknown } = {}) {
    super(why, { ...options, code: 'dead-letter', happened: 'no' });
  }
}
