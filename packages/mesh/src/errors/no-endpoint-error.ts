import { QuorateError } from '@quorate/core';

/** There is no instance to send a request to. */
export class NoEndpointError extends QuorateError {
  readonly service: string;

  constructor(service: string, why: string, cause?: unknown) {
    super(`${service}: ${why}`, { code: 'no-endpoint', retryable: true, cause, happened: 'no' });
    this.service = service;
  }
}
