import { QuorateError } from '@quorate/core';

/** No instance that was tried gave an answer: the request was never sent, or it was one that only reads. */
export class ServiceUnreachableError extends QuorateError {
  readonly service: string;

  constructor(
    service: string,
    attempts: number,
    { happened, cause }: { readonly happened: 'no' | 'unknown'; readonly cause: unknown },
  ) {
    const why = cause instanceof Error ? ((cause.cause as Error | undefined)?.message ?? cause.message) : String(cause);
    super(`${service}: no answer after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}; last: ${why}`, {
      code: 'service-unreachable',
      retryable: true,
      happened,
      cause,
    });
    this.service = service;
  }
}
