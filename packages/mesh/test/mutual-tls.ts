import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { type Identity, isService, spiffeUri } from '../src/index.ts';

/** A program that speaks mutual TLS itself, and says who came. */
export async function listen(identity: Identity): Promise<number> {
  const server = createServer({ ...identity.tls, ca: [...identity.tls.ca], requestCert: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.end(String(spiffeUri(socket.getPeerCertificate())));
  });
  server.on('tlsClientError', () => undefined);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** What it answers, asked as this identity or as nobody. */
export async function call(port: number, expected: string, identity?: Identity): Promise<string> {
  const tls = identity ? { ...identity.tls, ca: [...identity.tls.ca] } : { rejectUnauthorized: false };
  const socket: TLSSocket = connect({ ...tls, host: '127.0.0.1', port, checkServerIdentity: isService(expected) });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'close');
  return text;
}
