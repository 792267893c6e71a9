import { QuorateError } from './quorate-error.ts';

/** The time allowed for the work was over before the work was. What it had begun may have happened, or may yet. */
export class DeadlineExceededError extends QuorateError {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { ...options, code: 'deadline-exceeded', retryable: false });
  }
}
