import { QuorateError } from '@quorate/core';

/** No instance that was tried gave an answer. Nothing was done by it, or it may be done again. */
export class ServiceUnreachableError extends QuorateError {
  readonly service: string;

  constructor(service: string, attempts: number, cause: unknown) {
    const why = cause instanceof Error ? ((cause.cause as Error | undefined)?.message ?? cause.message) : String(cause);
    super(`${service}: no answer after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}; last: ${why}`, {
      code: 'service-unreachable',
      retryable: true,
      cause,
    });
    this.service = service;
  }
}
