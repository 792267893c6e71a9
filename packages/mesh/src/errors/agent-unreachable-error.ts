import { QuorateError } from '@quorate/core';

/** The agent was not reached, or said nothing in time. Nothing was changed by what was asked, or it may be asked again. */
export class AgentUnreachableError extends QuorateError {
  readonly address: string;

  constructor(operation: string, address: string, why: string, cause?: unknown) {
    super(`${operation}: the Consul agent at ${address} ${why}. Is it running, and is this its address?`, {
      code: 'agent-unreachable',
      retryable: true,
      cause,
    });
    this.address = address;
  }
}
