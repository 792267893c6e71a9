import type { Settings } from '../options.ts';
import type { ConnectReply, ConnectRequest } from '../protocol/handshake.ts';
import { Connection } from './connection.ts';
import type { Candidates } from './server-list.ts';
import { round } from './targets.ts';

export interface Dialed {
  readonly connection: Connection;
  readonly reply: ConnectReply;
  /** When the handshake was sent: the server cannot have heard of us later. */
  readonly sentAt: number;
}

export interface Dialing {
  readonly settings: Settings;
  readonly request: ConnectRequest;
  /** The session timeout: the one that was granted, once there is one. */
  readonly sessionTimeout: number;
  /** The server to try last. */
  readonly last: string | undefined;
  readonly signal: AbortSignal;
  readonly failed: (error: unknown) => void;
}

/** Tries every address of every server once, and resolves with the first that answers the handshake, whatever it answers. */
export async function dial(
  candidates: Pick<Candidates, 'servers' | 'fallback'>,
  { settings, sessionTimeout, request, last, signal, failed }: Dialing,
): Promise<Dialed | undefined> {
  const { tls, maxReplySize, connectTimeout, serverVersion } = settings;
  // After two thirds of the session timeout without an answer, a third is left to reach another server.
  const third = Math.max(sessionTimeout / 3, 100);
  for await (const { target, of } of round(candidates, { last, failed, patience: connectTimeout ?? third, signal })) {
    if (signal.aborted) return undefined;
    const timeout = connectTimeout ?? Math.max(third / of, 100);
    try {
      const versionTimeout = Math.min(timeout, sessionTimeout / 6);
      return await Connection.open(target, {
        request,
        tls,
        timeout,
        versionTimeout,
        maxReplySize,
        serverVersion,
        signal,
      });
    } catch (error) {
      failed(error);
    }
  }
  return undefined;
}
