import { QuorateError } from '@quorate/core';

/** The user may not do this. Nothing was done. */
export class NotAuthorizedError extends QuorateError {
  constructor(what: string, options: { readonly cause?: unknown } = {}) {
    super(`${what}: Kafka does not allow it to this user; give it the rights that docs/stream.md names`, {
      ...options,
      code: 'not-authorized',
      happened: 'no',
    });
  }
}
