import { QuorateError } from '@quorate/core';

/** The agent's answer was larger than we are willing to hold; the connection was dropped. */
export class ReplyTooLargeError extends QuorateError {
  constructor(operation: string, limit: number) {
    super(`${operation}: the answer has more than ${limit} bytes; maxReplySize allows more`, {
      code: 'reply-too-large',
    });
  }
}
