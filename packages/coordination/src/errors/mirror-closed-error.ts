import { QuorateError } from '@quorate/core';

/** The mirror was closed, so what it shows is no longer kept up to date. */
export class MirrorClosedError extends QuorateError {
  constructor(path: string) {
    super(`${path}: the mirror is closed; make a new one`, { code: 'mirror-closed' });
  }
}
