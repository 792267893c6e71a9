import { QuorateError } from '@quorate/core';

/** This Envoy and this Consul are not known to work together. A mismatch would look like trouble with certificates. */
export class EnvoyPairingError extends QuorateError {
  readonly accepted: readonly string[];

  constructor(consul: string, envoy: string, accepted: readonly string[]) {
    super(
      `Envoy ${envoy} is not known to work with Consul ${consul}, which supports Envoy ${accepted.join(', ')}. ` +
        'Use one of those, or set anyPairing: true to use this pair all the same',
      { code: 'envoy-pairing' },
    );
    this.accepted = accepted;
  }
}
