import { QuorateError } from '@quorate/core';

/** A reply was larger than this client accepts. It was not read, and the connection it came over was dropped. */
export class ReplyTooLargeError extends QuorateError {
  readonly size: number;

  constructor(what: string, size: number, limit: number) {
    super(`${what}: the reply has ${size} bytes, more than maxReplySize (${limit}); raise it, or split the data`, {
      code: 'reply-too-large',
    });
    this.size = size;
  }
}
