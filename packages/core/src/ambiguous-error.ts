import { QuorateError } from './quorate-error.ts';

/** The write may or may not have happened: its reply was lost. Read before you write again. */
export class AmbiguousError extends QuorateError {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { ...options, code: 'ambiguous', retryable: false });
  }
}
