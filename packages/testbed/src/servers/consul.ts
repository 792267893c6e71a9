import { InvalidArgumentError } from '@quorate/core';
import type { Host } from '../links/reception.ts';
import { isFree } from '../processes/ports.ts';
import { Server } from '../processes/server.ts';
import { type Agent, agentPlan, nameOf } from './consul-agent.ts';
import { numbered, portsFor, type Site } from './site.ts';

export interface ConsulOptions {
  readonly servers?: 1 | 3;
  /** Agents that are no servers, beside them: what runs on each machine of a cluster. Default 0. */
  readonly clients?: number;
  /**
   * What address each agent has in the catalog: all 127.0.0.1 (`shared`), or each one of its own (`own`), 127.0.0.2 and so
   * on, as agents on several machines have: there may then be an instance with the same port on each. Default `shared`, and
   * `own` is refused where these addresses are not up: macOS has only 127.0.0.1 until it is told otherwise.
   */
  readonly addresses?: 'shared' | 'own';
  /** Whether the agents reach one another through links, so that a partition can part them. Default: on Linux. */
  readonly links?: boolean;
  /** The HTTP port of the first server; its gRPC port and those of the others follow it. Free ports by default. */
  readonly port?: number;
  /** Further settings of the agents' configuration, merged over ours. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Consul servers with the service mesh switched on. Unlike `consul agent -dev` they keep their data over a restart. */
export class Consul {
  /** Every agent: the servers, then the clients. */
  readonly servers: readonly Server[];
  readonly clients: readonly Server[];
  readonly #members: readonly Server[];
  readonly #agents: readonly Agent[];

  static async plan(site: Site, options: ConsulOptions): Promise<Consul> {
    const { servers = 1, clients = 0, addresses = 'shared', port, config = {} } = options;
    const all = servers + clients;
    const links = all > 1 && (options.links ?? process.platform === 'linux');
    if (addresses === 'own') await checkAddresses('consul.addresses', 'shared', all, knownAs);
    if (links) await checkAddresses('consul.links', 'false', all, hiddenAt);
    const open = await portsFor(site, 2 * all, port);
    const peers = await portsFor(site, 2 * all);
    const agents = Array.from({ length: all }, (_, index): Agent => {
      const [http = 0, grpc = 0] = open.slice(2 * index);
      const [rpc = 0, gossip = 0] = peers.slice(2 * index);
      const number = index + 1;
      const known = addresses === 'own' ? knownAs(number) : '127.0.0.1';
      return {
        number,
        server: index < servers,
        http,
        grpc,
        rpc,
        gossip,
        known,
        bound: links ? hiddenAt(number) : known,
      };
    });
    if (links) await site.links.receive(agents.map(hostOf));
    return new Consul(
      agents.map((agent) => new Server(agentPlan(site, agent, agents, config), site)),
      agents,
    );
  }

  private constructor(all: readonly Server[], agents: readonly Agent[]) {
    this.servers = all;
    this.#agents = agents;
    this.#members = all.filter((_, index) => agents[index]?.server);
    this.clients = all.filter((_, index) => !agents[index]?.server);
  }

  get environment(): Record<string, string> {
    return { QUORATE_CONSUL: this.url, QUORATE_CONSUL_GRPC: this.grpc };
  }

  /** By number, from 1. */
  server(number: number): Server {
    return numbered(this.#members, number, 'Consul server');
  }

  /** An agent that is no server, by number, from 1. */
  client(number: number): Server {
    return numbered(this.clients, number, 'Consul client');
  }

  /** The HTTP API of the first server: `http://127.0.0.1:8500`. */
  get url(): string {
    return this.urlOf(this.server(1));
  }

  /** The HTTP API of one agent. */
  urlOf(agent: Server): string {
    this.#agentOf(agent);
    return `http://${agent.address}`;
  }

  /** The address of an agent in the catalog, which its instances have that were registered without one. */
  addressOf(agent: Server): string {
    return this.#agentOf(agent).known;
  }

  /** Where Envoy gets its configuration from the first server: `127.0.0.1:8502`. */
  get grpc(): string {
    return `127.0.0.1:${this.#agents[0]?.grpc}`;
  }

  #agentOf(server: Server): Agent {
    const agent = this.#agents[this.servers.indexOf(server)];
    if (agent) return agent;
    throw new InvalidArgumentError('agent', 'a Consul agent of this bed', server.name);
  }
}

function knownAs(number: number): string {
  return `127.0.0.${number + 1}`;
}

/** Where an agent listens while the others reach it at what is ours. */
function hiddenAt(number: number): string {
  return `127.1.0.${number}`;
}

function hostOf({ number, known, bound, rpc, gossip }: Agent): Host {
  return { name: nameOf(number), known, bound, port: rpc, gossip };
}

async function checkAddresses(
  argument: string,
  otherwise: string,
  count: number,
  addressOf: (number: number) => string,
): Promise<void> {
  for (let number = 1; number <= count; number += 1) {
    const address = addressOf(number);
    if (await isFree(0, address)) continue;
    const expected = `${otherwise} on this machine: its loopback does not answer at ${address}`;
    throw new InvalidArgumentError(argument, expected);
  }
}
