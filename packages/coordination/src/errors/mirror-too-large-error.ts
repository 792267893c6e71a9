import { QuorateError } from '@quorate/core';

/** There is more to mirror than the mirror may hold. It has ended. */
export class MirrorTooLargeError extends QuorateError {
  constructor(path: string, option: 'maxNodes' | 'maxBytes', limit: number) {
    super(`${path}: there is more below it than ${option} (${limit}) allows; raise it, or mirror less`, {
      code: 'mirror-too-large',
    });
  }
}
