import { QuorateError } from '@quorate/core';

/** A `DoubleBarrier` is one participant: it enters, then leaves, then may enter again. */
export class BarrierStateError extends QuorateError {
  constructor(path: string, call: 'enter' | 'leave', state: string) {
    const instead = call === 'enter' ? 'leave first, or use one DoubleBarrier for each participant' : 'enter first';
    super(`${path}: ${call}() was called while ${state}; ${instead}`, { code: 'barrier-state', happened: 'no' });
  }
}
