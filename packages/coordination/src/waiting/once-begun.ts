import { doubtful } from '@quorate/core';

/**
 * Does work that calls `begun` when something of it has been done, or may have been, for others to see: an error after that
 * does not say that nothing happened.
 */
export async function onceBegun<T>(
  options: { readonly idempotent: boolean },
  work: (begun: () => void) => Promise<T>,
): Promise<T> {
  let hasBegun = false;
  try {
    return await work(() => {
      hasBegun = true;
    });
  } catch (error) {
    throw hasBegun ? doubtful(error, options) : error;
  }
}
