import { QuorateError } from '@quorate/core';

/** The agent was not reached, or said nothing in time to a question that may be asked twice. */
export class AgentUnreachableError extends QuorateError {
  readonly address: string;

  constructor(
    operation: string,
    address: string,
    why: string,
    { happened, cause }: { readonly happened: 'no' | 'unknown'; readonly cause?: unknown },
  ) {
    super(`${operation}: the Consul agent at ${address} ${why}. Is it running, and is this its address?`, {
      code: 'agent-unreachable',
      retryable: true,
      happened,
      cause,
    });
    this.address = address;
  }
}
