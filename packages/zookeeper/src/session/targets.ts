import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Server, serverName } from '../connect-string.ts';
import { ConnectionLostError } from '../errors/connection-lost-error.ts';
import type { Target } from './connection.ts';

type Resolve = (host: string) => Promise<readonly string[]>;

/** Asked anew on each attempt: in a cluster, a name outlives the addresses behind it. */
const resolveByDns: Resolve = async (host) => {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
};

/**
 * Each server once, in random order, with each address of its name, in random order: so that many clients spread
 * out, and one dead address behind a name does not hide the others. The server we come from is the last to be tried.
 */
export async function* round(
  servers: readonly Server[],
  { last, failed, resolve = resolveByDns, random = Math.random }: RoundOptions,
): AsyncGenerator<Target> {
  const inOrder = shuffled(servers, random);
  inOrder.sort((a, b) => Number(serverName(a) === last) - Number(serverName(b) === last));
  for (const server of inOrder) {
    let addresses: readonly string[] = [server.host];
    if (!isIP(server.host)) {
      try {
        addresses = await resolve(server.host);
      } catch (error) {
        failed(new ConnectionLostError(serverName(server), 'its name could not be resolved', { cause: error }));
        continue;
      }
    }
    for (const address of shuffled(addresses, random)) yield { server, address };
  }
}

export interface RoundOptions {
  readonly last: string | undefined;
  readonly failed: (error: ConnectionLostError) => void;
  readonly resolve?: Resolve;
  readonly random?: () => number;
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  const out: T[] = [];
  while (left.length > 0) out.push(...left.splice(Math.floor(random() * left.length), 1));
  return out;
}
