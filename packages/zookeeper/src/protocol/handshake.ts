import type { Reader } from '../jute/reader.ts';
import type { Writer } from '../jute/writer.ts';
import { serverError } from './server-errors.ts';

export interface ConnectRequest {
  /** The latest transaction this client has seen: a server that is behind it refuses us, so that time never runs backwards. */
  readonly lastZxid: bigint;
  readonly timeout: number;
  /** 0n asks for a new session. */
  readonly sessionId: bigint;
  readonly password: Uint8Array;
  /** Whether a read-only server will do. */
  readonly readOnly: boolean;
}

export interface ConnectReply {
  /** What the server made of our wish, in milliseconds; 0 or less says that the session has expired. */
  readonly timeout: number;
  readonly sessionId: bigint;
  readonly password: Buffer;
  readonly readOnly: boolean;
}

export function writeConnectRequest(writer: Writer, request: ConnectRequest): void {
  const start = writer.beginFrame();
  writer.int(0).long(request.lastZxid).int(request.timeout).long(request.sessionId);
  writer.bytes(request.password).bool(request.readOnly);
  writer.endFrame(start);
}

/** What a server answers instead when it refuses: a member cut off from its ensemble does, without local sessions. */
const refusalSize = 16;

export function readConnectReply(reader: Reader): ConnectReply {
  if (reader.remaining === refusalSize) {
    reader.int();
    reader.long();
    throw serverError(reader.int(), { operation: 'connect' });
  }
  reader.int();
  const timeout = reader.int();
  const sessionId = reader.long();
  // A copy: the password outlives the chunk that it came in.
  const password = Buffer.from(reader.bytes());
  // Servers before 3.4 end here.
  const readOnly = reader.remaining > 0 && reader.bool();
  return { timeout, sessionId, password, readOnly };
}
