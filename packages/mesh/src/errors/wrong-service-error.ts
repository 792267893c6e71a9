import { QuorateError } from '@quorate/core';

/** The one that answered is not the service that was asked. */
export class WrongServiceError extends QuorateError {
  constructor(expected: string, found: string | undefined) {
    super(`expected the service ${expected}, got ${found ?? 'a certificate without a service in it'}`, {
      code: 'wrong-service',
    });
  }
}
