import { QuorateError } from '@quorate/core';

/** This Envoy and this Consul are not known to work together. A mismatch would look like trouble with certificates. */
export class EnvoyPairingError extends QuorateError {
  readonly accepted: readonly string[];

  constructor(consul: string, envoy: string, accepted: readonly string[]) {
    super(
      `Envoy ${envoy} is not known to work with Consul ${consul}, which takes Envoy ${accepted.join(', ')}. ` +
        'Use one of those, or say anyPairing: true if you know better',
      { code: 'envoy-pairing' },
    );
    this.accepted = accepted;
  }
}
