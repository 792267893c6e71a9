import { isQuorateError } from '@quorate/core';

/** What was read; undefined where there is no such node. */
export async function unlessMissing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isQuorateError(error, 'no-node')) return undefined;
    throw error;
  }
}
