import { retry } from '@quorate/core';

/**
 * Reads a node of our own, and again after each change, until `signal` aborts. `read` gets what calls it again. A member that is
 * busy, or a reply that is lost, is no reason to stop watching; any other error goes to `failed`.
 */
export function watchedOwn(
  signal: AbortSignal,
  read: (again: () => void) => Promise<void>,
  failed: (error: unknown) => void,
): void {
  const look = (): void => {
    const options = { attempts: Number.POSITIVE_INFINITY, idempotent: true, min: 20, max: 1_000, signal };
    retry(() => read(look), options).catch((error) => {
      if (!signal.aborted) failed(error);
    });
  };
  look();
}
