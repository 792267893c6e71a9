import { QuorateError } from '@quorate/core';

/**
 * Redis was not asked, because it does not answer: nothing has happened. Writes are told, and whoever asks for a version that
 * this process has never known; other reads go on without.
 */
export class RedisUnavailableError extends QuorateError {
  constructor(what: string) {
    super(`${what}: Redis does not answer; nothing was changed, try again later`, {
      code: 'redis-unavailable',
      retryable: true,
      happened: 'no',
    });
  }
}
