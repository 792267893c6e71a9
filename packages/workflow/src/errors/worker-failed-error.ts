import { QuorateError } from '@quorate/core';

/** The worker has ended by itself. What it worked on goes to others. */
export class WorkerFailedError extends QuorateError {
  constructor(taskQueue: string, why: string, options: { readonly cause?: unknown } = {}) {
    super(`the worker of "${taskQueue}" has ended: ${why}`, { ...options, code: 'worker-failed', retryable: true });
  }
}
