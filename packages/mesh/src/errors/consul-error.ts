import { QuorateError } from '@quorate/core';

interface ConsulErrorOptions {
  readonly code?: string;
  readonly retryable?: boolean;
  readonly happened?: 'no' | 'unknown';
  readonly advice?: string;
}

/** The agent answered with an error. `status` is HTTP's, `text` what Consul said. */
export class ConsulError extends QuorateError {
  readonly operation: string;
  readonly status: number;
  readonly text: string;

  constructor(
    operation: string,
    status: number,
    text: string,
    { code = 'consul-error', retryable = false, happened = 'no', advice = '' }: ConsulErrorOptions = {},
  ) {
    super(`${operation}: Consul answered ${status}: ${text}${advice && `. ${advice}`}`, { code, retryable, happened });
    this.operation = operation;
    this.status = status;
    this.text = text;
  }
}
