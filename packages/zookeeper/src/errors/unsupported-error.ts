import { QuorateError } from '@quorate/core';

/** What was asked for cannot be done here, whatever is tried. `retryable` when that is not certain: nobody has said what can be done. */
export class UnsupportedError extends QuorateError {
  constructor(what: string, why: string, retryable = false) {
    super(`${what} is not supported: ${why}`, { code: 'unsupported', happened: 'no', retryable });
  }
}
