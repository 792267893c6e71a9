import { QuorateError } from '@quorate/core';

/** There was a reply, and it is not what the requester expects. The request was done. */
export class InvalidReplyError extends QuorateError {
  constructor(topic: string, why: string) {
    super(`${topic}: the reply is not what was expected: ${why}`, { code: 'invalid-reply' });
  }
}
