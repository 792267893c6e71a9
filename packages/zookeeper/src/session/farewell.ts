import { deadline } from '@quorate/core';
import { Writer } from '../jute/writer.ts';
import { op } from '../protocol/op-codes.ts';
import type { Connection } from './connection.ts';
import { type Dialing, dial } from './dial.ts';

/**
 * Ends a session on the servers that its client has given up, so that what it has left there is gone now, and not only after
 * its timeout. One attempt: where it fails, the servers end the session by themselves.
 */
export async function farewell(servers: Parameters<typeof dial>[0], dialing: Dialing): Promise<void> {
  using limit = deadline(dialing.sessionTimeout, dialing.signal);
  const dialed = await dial(servers, { ...dialing, signal: limit.signal });
  if (!dialed) return;
  const { connection, reply } = dialed;
  const late = (): void => connection.destroy('no answer to the end of the session');
  limit.signal.addEventListener('abort', late, { once: true });
  if (reply.sessionId === dialing.request.sessionId && reply.timeout > 0) close(connection);
  else connection.destroy('the servers have ended the session themselves');
  // The server closes the connection once the session is over.
  await connection.ended;
  limit.signal.removeEventListener('abort', late);
}

function close(connection: Connection): void {
  connection.start({ frame: () => undefined, tooLarge: () => undefined, drain: () => undefined });
  const writer = new Writer();
  const start = writer.beginFrame();
  writer.int(1).int(op.close).endFrame(start);
  connection.write(writer.take());
}
