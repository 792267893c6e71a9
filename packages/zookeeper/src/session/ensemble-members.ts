import { isIP } from 'node:net';
import { isQuorateError } from '@quorate/core';
import { clientAddresses } from '../client-addresses.ts';
import { configPath, parseConfig } from '../config.ts';
import { type Server, serverName } from '../connect-string.ts';
import { getOperation, type NodeData } from '../protocol/reads.ts';
import { oneShot } from '../watch/one-shot.ts';
import { lookUp } from './look-up.ts';
import type { ServerList } from './server-list.ts';
import type { Session } from './session.ts';

/**
 * Keeps the list of servers as the ensemble tells it: read in each connection and after each change. When the member that we
 * are connected to has been removed, the session moves: such a member goes on serving for as long as it runs, which is
 * not for long as a rule.
 */
export class EnsembleMembers {
  readonly #session: Session;
  readonly #list: ServerList;
  #version: bigint | undefined;
  #isWatched = false;

  constructor(session: Session, list: ServerList) {
    this.#session = session;
    this.#list = list;
    session.listen((state) => {
      if (state === 'connected') void this.#read();
    });
  }

  async #read(): Promise<void> {
    try {
      await this.#take(await this.#ask());
    } catch (error) {
      // The next connection reads it again; what has become of this one is told by others.
      const codes = ['connection-lost', 'session-lost', 'session-closed'];
      if (!codes.some((code) => isQuorateError(error, code))) this.#session.failed(error);
    }
  }

  async #ask(): Promise<NodeData> {
    // A watch that was placed is there in the next connection as well.
    if (this.#isWatched) return this.#session.request(getOperation(configPath, false, configPath), { transient: true });
    this.#isWatched = true;
    const deliver = (): void => {
      this.#isWatched = false;
      void this.#read();
    };
    const placing = oneShot(this.#session.watches, { path: configPath, kind: 'data', deliver, signal: undefined });
    try {
      const { replied } = placing;
      return await this.#session.request(getOperation(configPath, true, configPath), { transient: true, replied });
    } catch (error) {
      placing.unplaced();
      this.#isWatched = false;
      throw error;
    }
  }

  async #take(data: NodeData): Promise<void> {
    const { members, version } = parseConfig(data);
    // A member that lags behind tells of what was.
    if (this.#version !== undefined && version <= this.#version) return;
    this.#version = version;
    const now = clientAddresses(members);
    if (now.length === 0) return;
    const before = this.#list.members;
    this.#list.follow(now);
    const at = this.#session.connectedTo;
    if (!at || (await includes(now, at))) return;
    // It may be a member all the same, which the ensemble knows by another address than we do.
    if (!this.#list.namesAny(now) && !(await includes(before, at))) return;
    if (this.#session.connectedTo === at) await this.#session.moveOn('it is no member of the ensemble any more');
  }
}

/** What we are connected to: by the name we have for it, and by its address. */
interface ConnectedTo {
  readonly server: string;
  readonly address: string;
}

/** Rejects when that cannot be told, because a name cannot be resolved. */
async function includes(members: readonly Server[], { server, address }: ConnectedTo): Promise<boolean> {
  if (members.some((member) => serverName(member) === server)) return true;
  const port = Number(server.slice(server.lastIndexOf(':') + 1));
  const alike = members.filter((member) => member.port === port);
  if (alike.some(({ host }) => host === address)) return true;
  const found = await Promise.all(alike.filter(({ host }) => !isIP(host)).map(({ host }) => lookUp(host)));
  return found.flat().includes(address);
}
