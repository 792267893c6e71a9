import { QuorateError } from '@quorate/core';

/** No server of Temporal answers. Nothing was changed. */
export class TemporalUnreachableError extends QuorateError {
  constructor(what: string, options: { readonly cause?: unknown } = {}) {
    super(`${what}: Temporal does not answer; see that the address is right, that it runs, and whether it wants TLS`, {
      ...options,
      code: 'temporal-unreachable',
      retryable: true,
      happened: 'no',
    });
  }
}
