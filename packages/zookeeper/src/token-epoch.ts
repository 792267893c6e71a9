import { InvalidArgumentError } from '@quorate/core';

/** The largest with which tokens of 48 bits stay within a signed number of 64. */
const largest = 2 ** 15 - 1;

export function checkTokenEpoch(epoch: unknown): number {
  if (typeof epoch === 'number' && Number.isInteger(epoch) && epoch >= 0 && epoch <= largest) return epoch;
  throw new InvalidArgumentError('tokenEpoch', `a whole number from 0 to ${largest}`, epoch);
}
