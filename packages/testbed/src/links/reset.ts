import type { Socket } from 'node:net';

/**
 * Ends a socket by a reset. Not while its orderly end is on its way out: Node then fails (EINVAL) and keeps the socket open for
 * ever, and a process that has one of these never exits but spins (seen with Node 26.10).
 */
export function reset(socket: Socket): void {
  const isEnding = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (isEnding) socket.once('finish', () => socket.resetAndDestroy());
  else socket.resetAndDestroy();
}
