import { Writer } from '../jute/writer.ts';
import { op } from '../protocol/op-codes.ts';
import type { Connection } from './connection.ts';
import type { Dialed } from './dial.ts';

/**
 * Ends a session on the servers that its client has given up, so that what it has left there is gone now, and not only after
 * its timeout. Where it fails, the servers end the session by themselves.
 */
export async function farewell({ connection, reply }: Dialed, sessionId: bigint, signal: AbortSignal): Promise<void> {
  const late = (): void => connection.destroy('no answer to the end of the session');
  if (signal.aborted) late();
  signal.addEventListener('abort', late, { once: true });
  if (reply.sessionId === sessionId && reply.timeout > 0) close(connection);
  else connection.destroy('the servers have ended the session themselves');
  // The server closes the connection once the session is over.
  await connection.ended;
  signal.removeEventListener('abort', late);
}

function close(connection: Connection): void {
  connection.start({ frame: () => undefined, tooLarge: () => undefined, drain: () => undefined });
  const writer = new Writer();
  const start = writer.beginFrame();
  writer.int(1).int(op.close).endFrame(start);
  connection.write(writer.take());
}
