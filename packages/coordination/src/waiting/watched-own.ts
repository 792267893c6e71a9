import { backoff, mayRetry } from '@quorate/core';

/**
 * Reads a node of our own, and again after each change, until `signal` aborts. `read` gets what calls it again. A member that is
 * busy, or a reply that is lost, is no reason to stop watching; any other error goes to `failed`.
 */
export function watchedOwn(
  signal: AbortSignal,
  read: (again: () => void) => Promise<void>,
  failed: (error: unknown) => void,
): void {
  const delays = backoff({ min: 20, max: 1_000 });
  const look = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await read(() => void look());
        delays.reset();
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!mayRetry(error, { idempotent: true })) return failed(error);
      }
      await delays.wait({ signal }).catch(() => undefined);
    }
  };
  void look();
}
