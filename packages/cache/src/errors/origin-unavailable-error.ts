import { QuorateError } from '@quorate/core';

/** Loading has failed so often that it is not tried for a while, and there is no stale value to give instead. */
export class OriginUnavailableError extends QuorateError {
  constructor(key: string, origin: string, cause: unknown) {
    const of = origin === '' ? '' : ` from ${origin}`;
    super(`${key}: loading${of} has failed repeatedly and is not tried for now; try again later`, {
      code: 'origin-unavailable',
      retryable: true,
      happened: 'no',
      cause,
    });
  }
}
