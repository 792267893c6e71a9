import { QuorateError } from '@quorate/core';

/** Temporal refused what was asked for. It was not done. */
export class RefusedError extends QuorateError {
  constructor(what: string, why: string, options: { readonly cause?: unknown; readonly retryable?: boolean } = {}) {
    super(`${what}: Temporal refuses it: ${why}`, { ...options, code: 'refused', happened: 'no' });
  }
}
