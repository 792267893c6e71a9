import { QuorateError } from '@quorate/core';

/** Kafka refuses the user or the password, or the way to log in, or TLS could not be agreed on. Nothing was written. */
export class AuthenticationFailedError extends QuorateError {
  constructor(why: string, options: { readonly cause?: unknown } = {}) {
    super(`cannot log in to Kafka: ${why}; check sasl and tls`, {
      ...options,
      code: 'authentication-failed',
      happened: 'no',
    });
  }
}
