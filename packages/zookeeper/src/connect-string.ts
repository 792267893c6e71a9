import { isIPv6 } from 'node:net';
import { InvalidArgumentError } from '@quorate/core';
import { checkPath } from './path.ts';

export interface Server {
  /** A name, an IPv4 address, or an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

export interface ConnectString {
  readonly servers: readonly Server[];
  /** The path that everything is below; '' for none. */
  readonly chroot: string;
}

const expected = 'servers such as "zk1:2181,[::1]:2181/chroot"';
const hostName = /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?$/;
const defaultPort = 2181;

export function parseConnectString(text: unknown): ConnectString {
  if (typeof text !== 'string' || text.trim() === '') throw new InvalidArgumentError('servers', expected, text);
  const trimmed = text.trim();
  const slash = trimmed.indexOf('/');
  const list = slash === -1 ? trimmed : trimmed.slice(0, slash);
  const chroot = slash === -1 ? '/' : trimmed.slice(slash);
  checkPath(chroot, 'servers (the chroot at its end)');
  return { servers: list.split(',').map(parseServer), chroot: chroot === '/' ? '' : chroot };
}

export function serverName({ host, port }: Server): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function parseServer(text: string): Server {
  const refuse = (why: string): InvalidArgumentError =>
    new InvalidArgumentError('servers', `${expected} (${why})`, text);
  const server = text.trim();
  if (server === '') throw refuse('no empty entry');
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(server);
  if (bracketed) {
    const [, host = '', port] = bracketed;
    if (!isIPv6(host)) throw refuse('an IPv6 address in the brackets');
    return { host, port: parsePort(port, refuse) };
  }
  if (isIPv6(server)) throw refuse('an IPv6 address goes in brackets');
  const colon = server.indexOf(':');
  const host = colon === -1 ? server : server.slice(0, colon);
  if (!hostName.test(host)) throw refuse('a host name or address');
  return { host, port: parsePort(colon === -1 ? undefined : server.slice(colon + 1), refuse) };
}

function parsePort(text: string | undefined, refuse: (why: string) => Error): number {
  if (text === undefined) return defaultPort;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw refuse('a port from 1 to 65535');
  return port;
}
