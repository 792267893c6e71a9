import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket, type ConnectionOptions as TlsConnectionOptions } from 'node:tls';
import type { Server } from '../connect-string.ts';

export interface Target {
  readonly server: Server;
  /** What the server's name resolved to this time. */
  readonly address: string;
}

/** A socket on its way to a server. */
export function openSocket({ server, address }: Target, tls: TlsConnectionOptions | undefined): Socket {
  const socket = tls
    ? connectTls({ servername: isIP(server.host) ? '' : server.host, ...tls, host: address, port: server.port })
    : connectTcp({ host: address, port: server.port });
  socket.setNoDelay(true);
  return socket;
}

/** Calls back when it is there, TLS included. */
export function onceOpen(socket: Socket, listener: () => void): void {
  socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', listener);
}
