import { isIPv6 } from 'node:net';
import { parseServer, type Server, serverName } from './connect-string.ts';

const wildcards = ['0.0.0.0', '::'];

/**
 * Where the members of an ensemble take clients: of `server.1=host:2888:3888:participant;host:2181` what is behind the
 * semicolon, with the host of the member where it listens on all its addresses. Members that say nothing of clients are left out.
 */
export function clientAddresses(members: readonly string[]): Server[] {
  const found = new Map<string, Server>();
  for (const server of members.flatMap(addressesOf)) found.set(serverName(server), server);
  return [...found.values()];
}

function addressesOf(member: string): Server[] {
  const [own = '', client] = member.slice(member.indexOf('=') + 1).split(';');
  if (client === undefined) return [];
  const server = parsed(/^\d+$/.test(client) ? `0.0.0.0:${client}` : client);
  if (!server) return [];
  if (!wildcards.includes(server.host)) return [server];
  // A member may have several addresses for the others.
  return own.split('|').flatMap((address) => {
    const host = /^(\[[^\]]*\]|[^:]*):/.exec(address)?.[1];
    const at = host === undefined ? undefined : parsed(`${host}:${server.port}`);
    return at ? [at] : [];
  });
}

/** Undefined where it is none: what another client may have written there is no reason to fail. */
function parsed(text: string): Server | undefined {
  try {
    const { host, port } = parseServer(text);
    return { host: isIPv6(host) ? shortest(host) : host, port };
  } catch {
    return undefined;
  }
}

/** Java writes all eight groups. */
function shortest(host: string): string {
  return URL.parse(`http://[${host}]`)?.hostname.slice(1, -1) ?? host;
}
