import { QuorateError } from '@quorate/core';

/** The workflows can not be made into what a worker runs. No worker was started. */
export class BundleFailedError extends QuorateError {
  constructor(path: string, why: string, options: { readonly cause?: unknown } = {}) {
    super(`the workflows in "${path}" can not be bundled: ${why}`, {
      ...options,
      code: 'bundle-failed',
      happened: 'no',
    });
  }
}
