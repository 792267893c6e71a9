import { QuorateError } from '@quorate/core';

/** Temporal does not know who asks, or does not allow it. Nothing was changed. */
export class NotAuthorizedError extends QuorateError {
  constructor(what: string, why: string, options: { readonly cause?: unknown } = {}) {
    super(`${what}: Temporal refuses it: ${why}; check apiKey, tls and the rights in the namespace`, {
      ...options,
      code: 'not-authorized',
      happened: 'no',
    });
  }
}
