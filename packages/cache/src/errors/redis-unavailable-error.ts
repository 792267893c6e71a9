import { QuorateError } from '@quorate/core';

/** Redis was not asked, because it does not answer: nothing has happened. Only writes are told; reads go on without. */
export class RedisUnavailableError extends QuorateError {
  constructor(what: string) {
    super(`${what}: Redis does not answer; nothing was changed, try later`, {
      code: 'redis-unavailable',
      retryable: true,
    });
  }
}
