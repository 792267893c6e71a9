import type { Server } from '../connect-string.ts';
import type { Settings } from '../options.ts';
import type { ConnectReply, ConnectRequest } from '../protocol/handshake.ts';
import { Connection } from './connection.ts';
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
  /** The server to try last. */
  readonly last: string | undefined;
  readonly signal: AbortSignal;
  readonly failed: (error: unknown) => void;
}

/** Tries every server once, and resolves with the first that answers the handshake, whatever it answers. */
export async function dial(
  servers: readonly Server[],
  { settings, request, last, signal, failed }: Dialing,
): Promise<Dialed | undefined> {
  const { tls, maxReplySize, sessionTimeout } = settings;
  // After two thirds of the session timeout without an answer, a third is left to reach another server.
  const timeout = settings.connectTimeout ?? Math.max(sessionTimeout / 3 / servers.length, 100);
  for await (const target of round(servers, { last, failed })) {
    if (signal.aborted) return undefined;
    try {
      return await Connection.open(target, { request, tls, timeout, maxReplySize, signal });
    } catch (error) {
      failed(error);
    }
  }
  return undefined;
}
