import { QuorateError } from '@quorate/core';

/** What answered is not a Consul agent, or something between us spoiled its answer. */
export class MalformedReplyError extends QuorateError {
  constructor(operation: string, address: string, why: string, cause?: unknown) {
    super(`${operation}: ${address} returned an answer that is not Consul's (${why})`, {
      code: 'malformed-reply',
      cause,
    });
  }
}
