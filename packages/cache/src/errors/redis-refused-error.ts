import { QuorateError } from '@quorate/core';

/** Redis answered with an error: no permission, out of memory, a replica that takes no writes. */
export class RedisRefusedError extends QuorateError {
  constructor(what: string, cause: unknown) {
    super(`${what}: Redis refused: ${cause instanceof Error ? cause.message.slice(0, 200) : 'no reason given'}`, {
      code: 'redis-refused',
      cause,
    });
  }
}
