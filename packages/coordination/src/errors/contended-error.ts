import { QuorateError } from '@quorate/core';

/** Others were faster every time. Nothing was written. */
export class ContendedError extends QuorateError {
  constructor(path: string, attempts: number) {
    super(
      `${path}: others were faster ${attempts} times in a row, and nothing was written; spread the writes over several nodes, or put them behind a lock`,
      { code: 'contended', retryable: true, happened: 'no' },
    );
  }
}
