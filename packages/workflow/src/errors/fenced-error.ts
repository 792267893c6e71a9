import { QuorateError } from '@quorate/core';

/** A newer holder of the fencing token was here: this one must not go on. Nothing was done. */
export class FencedError extends QuorateError {
  readonly fence: string;

  constructor(fence: string, token: bigint) {
    super(`"${fence}": a newer holder than that of token ${token} was here; nothing was done`, {
      code: 'fenced',
      happened: 'no',
    });
    this.fence = fence;
  }
}
