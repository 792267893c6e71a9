import { isQuorateError } from '@quorate/core';
import type { WatchKind, WatchRegistry } from './registry.ts';
import type { Watcher } from './watch-event.ts';

export interface OneShot {
  /** For the reply to the read that places the watch. */
  readonly replied: (error: Error | undefined) => void;
  /** The read will have no reply. */
  readonly unplaced: () => void;
}

/** Interest in the next change of what a read returns. Aborting `signal` ends it, on the server as well. */
export function oneShot(
  registry: WatchRegistry,
  { path, kind, deliver, signal }: { path: string; kind: WatchKind; deliver: Watcher; signal: AbortSignal | undefined },
): OneShot {
  const aborted = (): void => registry.end(interest);
  const ended = (): void => signal?.removeEventListener('abort', aborted);
  const interest = registry.begin(path, kind, { deliver, ended });
  signal?.addEventListener('abort', aborted, { once: true });
  return {
    replied: (error) => {
      if (!error) registry.place(interest, kind === 'exists' ? 'data' : kind);
      else if (kind === 'exists' && isQuorateError(error, 'no-node')) registry.place(interest, 'exists');
      else registry.end(interest, false);
    },
    unplaced: () => registry.end(interest, false),
  };
}
