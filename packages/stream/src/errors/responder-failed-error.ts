import { QuorateError } from '@quorate/core';

/** The responder's handler failed, or the request was not what it takes. How much was done until then only the responder knows. */
export class ResponderFailedError extends QuorateError {
  /** The code of the responder's error, where it had one. */
  readonly reason: string;

  constructor(topic: string, reason: string, message: string) {
    super(`${topic}: the responder failed: ${message}`, { code: 'responder-failed' });
    this.reason = reason;
  }
}
