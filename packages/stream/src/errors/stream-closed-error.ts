import { QuorateError } from '@quorate/core';

/** It was stopped before. Nothing was done. */
export class StreamClosedError extends QuorateError {
  constructor(what: string) {
    super(`${what} was stopped: make a new one`, { code: 'stream-closed', happened: 'no' });
  }
}
