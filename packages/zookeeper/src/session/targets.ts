import { isIP } from 'node:net';
import { deadline, sleep } from '@quorate/core';
import { type Server, serverName } from '../connect-string.ts';
import { ConnectionLostError } from '../errors/connection-lost-error.ts';
import { type LookUp, lookUp } from './look-up.ts';
import type { Candidates } from './server-list.ts';
import type { Target } from './socket.ts';

/** In milliseconds: names that are resolved by then keep their place in the order. */
const brief = 20;

/** A target, and among how many known ones the time for all of them is shared. */
export interface Turn {
  readonly target: Target;
  readonly of: number;
}

export interface RoundOptions {
  /** The server we come from: the last to be tried of those it is among. */
  readonly last: string | undefined;
  readonly failed: (error: ConnectionLostError) => void;
  /** How long the names may take that are not resolved when all other servers have been tried, in milliseconds. */
  readonly patience: number;
  readonly signal: AbortSignal;
  readonly lookUp?: LookUp;
  readonly random?: () => number;
}

/**
 * Each server once, in random order, with each address of its name, in random order: so that many clients spread
 * out, and one dead address behind a name does not hide the others. A name that is slow to resolve holds nobody up: whose
 * address is known has its turn first. The fallback comes after the servers.
 */
export async function* round(
  { servers, fallback }: Pick<Candidates, 'servers' | 'fallback'>,
  { last, failed, patience, signal, lookUp: ask = lookUp, random = Math.random }: RoundOptions,
): AsyncGenerator<Turn> {
  const inOrder = [servers, fallback].flatMap((group) => {
    const order = shuffled(group, random);
    return order.sort((a, b) => Number(serverName(a) === last) - Number(serverName(b) === last));
  });
  const found = new Map<Server, readonly string[]>();
  const looking = new Map<Server, Promise<void>>();
  for (const server of inOrder) {
    const { host } = server;
    if (isIP(host)) found.set(server, [host]);
    else looking.set(server, look(server));
  }

  async function look(server: Server): Promise<void> {
    try {
      found.set(server, shuffled(await ask(server.host), random));
    } catch (error) {
      failed(new ConnectionLostError(serverName(server), 'its name could not be resolved', { cause: error }));
    }
    looking.delete(server);
  }

  using limit = deadline(patience, signal);
  const over = new Promise<void>((resolve) => {
    limit.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const soon = sleep(brief, { signal: limit.signal }).catch(() => undefined);
  await Promise.race([soon, Promise.all(looking.values())]);
  const left = new Set(inOrder);
  while (!signal.aborted) {
    const server = inOrder.find((each) => left.has(each) && found.has(each));
    if (server) {
      left.delete(server);
      for (const address of found.get(server) ?? []) {
        const known = [...found.values()].reduce((sum, { length }) => sum + length, 0);
        yield { target: { server, address }, of: known + looking.size };
      }
      continue;
    }
    if (looking.size === 0) return;
    if (limit.signal.aborted) break;
    await Promise.race([over, ...looking.values()]);
  }
  for (const server of looking.keys()) {
    failed(new ConnectionLostError(serverName(server), `its name was not resolved within ${Math.round(patience)} ms`));
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  const out: T[] = [];
  while (left.length > 0) out.push(...left.splice(Math.floor(random() * left.length), 1));
  return out;
}
