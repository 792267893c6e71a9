import { QuorateError } from '@quorate/core';

/** The server refused our credentials. Trying again with the same ones cannot help. */
export class AuthFailedError extends QuorateError {
  constructor(scheme: string, why: string, options: { readonly cause?: unknown } = {}) {
    super(`authentication by ${scheme} failed: ${why}`, { ...options, code: 'auth-failed' });
  }
}
