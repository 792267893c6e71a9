import { QuorateError } from '@quorate/core';

/** What was asked for cannot be done here, whatever is tried. */
export class UnsupportedError extends QuorateError {
  constructor(what: string, why: string) {
    super(`${what} is not supported: ${why}`, { code: 'unsupported', happened: 'no' });
  }
}
