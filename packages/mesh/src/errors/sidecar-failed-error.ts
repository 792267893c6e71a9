import { QuorateError } from '@quorate/core';

/** Envoy died, or never became ready. `log` holds its last lines. */
export class SidecarFailedError extends QuorateError {
  readonly log: readonly string[];

  constructor(proxyId: string, why: string, log: readonly string[]) {
    const tail = log.length === 0 ? 'It logged nothing.' : `Its last lines:\n${log.slice(-10).join('\n')}`;
    super(`the sidecar ${proxyId} ${why}. ${tail}`, { code: 'sidecar-failed' });
    this.log = log;
  }
}
