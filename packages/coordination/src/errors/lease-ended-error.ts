import { QuorateError, type QuorateErrorOptions } from '@quorate/core';

/**
 * - `suspended`: the connection is gone, so whether it is still held is not certain.
 * - `lost`: the session is over, or somebody has deleted the node.
 * - `released`: we have let go.
 * - `revoked`: somebody asks us to let go. It is held until we do.
 */
export type LeaseEnd = 'suspended' | 'lost' | 'released' | 'revoked';

const meaning: Readonly<Record<LeaseEnd, string>> = {
  suspended: 'the connection is gone and it may no longer be held; stop what relies on it and acquire it again',
  lost: 'it is no longer held; stop what relies on it and acquire it again',
  released: 'it was released; acquire it again',
  revoked: 'another client asks for it; finish what relies on it and release it',
};

/** The reason with which the signal of a lease aborts, and what a lease that has ended throws. */
export class LeaseEndedError extends QuorateError {
  readonly reason: LeaseEnd;

  constructor(path: string, reason: LeaseEnd, options: Pick<QuorateErrorOptions, 'cause' | 'happened'> = {}) {
    super(`${path}: ${meaning[reason]}`, { ...options, code: `lease-${reason}` });
    this.reason = reason;
  }
}

/** What a call throws that comes after the end: nothing of it was sent. */
export function tooLate(path: string, ended: LeaseEndedError): LeaseEndedError {
  return new LeaseEndedError(path, ended.reason, { cause: ended, happened: 'no' });
}
