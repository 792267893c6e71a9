import { isQuorateError } from '@quorate/core';

/** Somebody was faster, or the reply is lost: in both cases, what is there now must be read. */
export function isOvertaken(error: unknown): boolean {
  return ['no-node', 'node-exists', 'bad-version', 'ambiguous'].some((code) => isQuorateError(error, code));
}

export async function unlessOvertaken(written: Promise<unknown>): Promise<void> {
  try {
    await written;
  } catch (error) {
    if (!isOvertaken(error)) throw error;
  }
}
