import { QuorateError } from '@quorate/core';

/** TLS with the agent failed: its certificate or ours is not accepted, or one side speaks plain HTTP. */
export class AgentCertificateError extends QuorateError {
  readonly address: string;

  constructor(operation: string, address: string, why: string, cause?: unknown) {
    super(
      `${operation}: no secure connection to the Consul agent at ${address}: ${why}. ` +
        'Look at tls.ca, tls.cert and tls.key, at what the certificates are valid for and until when.',
      { code: 'agent-certificate', cause },
    );
    this.address = address;
  }
}
