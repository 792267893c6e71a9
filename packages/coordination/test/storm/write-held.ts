import type { History } from '@quorate/testbed';
import type { Lease } from '../../src/index.ts';

/** Writes down that it is held, and when not any more. Returns how to say that the work is done. */
export function writeHeld(history: History, process: string, what: string, lease: Lease): () => void {
  const holding = history.held(process, what, lease.token);
  let ended = false;
  const end = (): void => {
    if (!ended) holding.released(lease.signal.reason?.reason);
    ended = true;
  };
  if (lease.signal.aborted) end();
  lease.signal.addEventListener('abort', end, { once: true });
  return end;
}
