import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls';
import { onceOpen, openSocket, type Target } from './socket.ts';

/** Of an answer only the beginning is read. */
const most = 4096;

/**
 * What a server answers to `srvr`, which begins with its version. A connection says nothing of it, so it takes one of its
 * own: the server closes it behind its answer.
 */
export function askServer(target: Target, tls: TlsConnectionOptions | undefined, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = openSocket(target, tls);
    const aborted = (): void => void socket.destroy(signal.reason);
    let answer = '';
    signal.addEventListener('abort', aborted, { once: true });
    onceOpen(socket, () => socket.write('srvr'));
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.length > most) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      signal.removeEventListener('abort', aborted);
      resolve(answer);
    });
  });
}
