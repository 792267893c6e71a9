import { QuorateError } from '@quorate/core';

/** More loads are wanted than `origin.concurrency` and `origin.queue` let in. */
export class OverloadedError extends QuorateError {
  constructor(key: string) {
    super(`${key}: too many loads are already waiting; try again later`, {
      code: 'overloaded',
      retryable: true,
      happened: 'no',
    });
  }
}
