import { QuorateError } from '@quorate/core';

/** The session is over, or cannot be known not to be: what was held with it may be somebody else's. */
export class SessionLostError extends QuorateError {
  constructor(id: string, why: string) {
    super(`the session ${id} is lost: ${why}`, { code: 'session-lost' });
  }
}
