import { QuorateError } from '@quorate/core';

/** The ensemble has had 65,536 elections, and its transactions have numbers that would be taken for tokens of the next epoch. */
export class TokensExhaustedError extends QuorateError {
  constructor(path: string, zxid: bigint) {
    super(
      `${path}: transaction 0x${zxid.toString(16)} of the ensemble is too large for a fencing token; move to a new ensemble, and raise tokenEpoch by one in every process`,
      { code: 'tokens-exhausted', happened: 'no' },
    );
  }
}
