import { QuorateError } from '@quorate/core';

/** The cache was disposed of: it answers no more. */
export class CacheClosedError extends QuorateError {
  constructor(cache: string) {
    super(`the cache ${cache} is closed: make a new one`, { code: 'cache-closed', happened: 'no' });
  }
}
