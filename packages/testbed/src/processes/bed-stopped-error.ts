import { QuorateError } from '@quorate/core';

/** The bed has been stopped: what would start in it now would have nobody to end it. */
export class BedStoppedError extends QuorateError {
  constructor() {
    super('the bed has been stopped: start another one', { code: 'bed-stopped' });
  }
}
