import { QuorateError } from '@quorate/core';

/** Another process has taken over the transactional id: it is the one that may go on. What this one tried was not done. */
export class FencedProducerError extends QuorateError {
  constructor(id: string, options: { readonly cause?: unknown } = {}) {
    super(`another process goes on under the transactional id "${id}": this one was fenced`, {
      ...options,
      code: 'fenced-producer',
      happened: 'no',
    });
  }
}
