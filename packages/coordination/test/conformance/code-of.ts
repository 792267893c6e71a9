import { isQuorateError } from '@quorate/core';

/** The error code that a call was rejected with. */
export async function codeOf(call: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof call === 'function' ? call() : call);
  } catch (error) {
    return isQuorateError(error) ? error.code : `not one of ours: ${error}`;
  }
  return 'none';
}
