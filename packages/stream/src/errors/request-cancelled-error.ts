import { QuorateError } from '@quorate/core';

/** The reason with which a responder's signal aborts: nobody waits for the reply any more. */
export class RequestCancelledError extends QuorateError {
  constructor() {
    super('nobody waits for the reply any more', { code: 'request-cancelled' });
  }
}
