import { SessionClosedError } from '../errors/session-closed-error.ts';
import { EventStream } from '../event-stream.ts';
import { addWatchOperation, type WatchMode } from '../protocol/reads.ts';
import type { SessionLike } from '../session/session-like.ts';
import type { WatchEvent } from './watch-event.ts';

/**
 * The events of one watch, for one reader. It is placed when it is made, not when it is first read, so nothing that
 * happens after `ready` is missed. Breaking out of the loop, disposing or aborting removes it from the server.
 */
export interface Watch extends AsyncIterableIterator<WatchEvent, undefined>, AsyncDisposable {
  /** Resolves when the server has the watch: what is read after that, and the events, have no gap between them. */
  readonly ready: Promise<void>;
}

export interface Watching {
  readonly serverPath: string;
  readonly path: string;
  readonly mode: WatchMode;
  readonly signal: AbortSignal | undefined;
  /** From a path of the server to one of the reader's. */
  readonly toClient: (path: string) => string | undefined;
}

export function watch(session: SessionLike, { serverPath, path, mode, signal, toClient }: Watching): Watch {
  const kind = mode;
  const over = (reason: unknown = session.lost.reason): void => {
    if (reason instanceof SessionClosedError) events.finish();
    else events.fail(reason);
  };
  const interest = session.watches.begin(serverPath, kind, {
    deliver: ({ type, path: changed }) => {
      const known = toClient(changed);
      if (known !== undefined) events.push({ type, path: known });
    },
    ended: over,
  });
  const aborted = (): void => events.abort(signal?.reason);
  const events = new EventStream<WatchEvent>({
    overflow: () => ({ type: 'gap', path }),
    ended: () => {
      signal?.removeEventListener('abort', aborted);
      session.watches.end(interest);
    },
  });
  signal?.addEventListener('abort', aborted, { once: true });
  const ready = session.request(addWatchOperation(serverPath, mode, path), {
    signal,
    replied: (error) => {
      if (!error) session.watches.place(interest);
    },
  });
  ready.catch((error) => {
    if (error instanceof SessionClosedError) events.finish();
    else events.fail(error);
  });
  return Object.assign(events, { ready });
}
