import { isIP, connect as netConnect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import type { Address } from '../wire.ts';

const keepAliveDelay = 60_000;

/** The package's own has no name for TLS, and waits for more before it sends the second of two requests. */
export function socketTo({ host, port }: Address, tls: ConnectionOptions | undefined, onConnect: () => void): Socket {
  const socket = tls ? secure(host, { port, ...tls }, onConnect) : netConnect({ host, port }, onConnect);
  socket.setKeepAlive(true, keepAliveDelay);
  socket.setNoDelay(true);
  return socket;
}

function secure(host: string, options: ConnectionOptions, onConnect: () => void): Socket {
  // Certificates of hosted brokers need the name; an address must not stand there.
  const socket = tlsConnect({ host, ...(isIP(host) === 0 && { servername: host }), ...options }, onConnect);
  let agreed = false;
  socket.once('secureConnect', () => {
    agreed = true;
  });
  // A check of the application says what it says, and nothing by which others would know it for one.
  socket.prependListener('error', (error: NodeJS.ErrnoException) => {
    if (!agreed) error.code ??= 'ERR_TLS_CERT_REFUSED';
  });
  return socket;
}
