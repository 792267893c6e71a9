import { Server } from '../processes/server.ts';
import type { ServerPlan } from '../processes/server-plan.ts';
import { answerOf } from './answers.ts';
import { numbered, portsFor, type Site } from './site.ts';

export interface ConsulOptions {
  readonly servers?: 1 | 3;
  /** The HTTP port of the first server; its gRPC port and those of the others follow it. Free ports by default. */
  readonly port?: number;
  /** Further settings of the agents' configuration, merged over ours. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Consul servers with the service mesh switched on. Unlike `consul agent -dev` they keep their data over a restart. */
export class Consul {
  readonly servers: readonly Server[];
  readonly #grpc: readonly number[];

  static async plan(site: Site, { servers = 1, port, config = {} }: ConsulOptions): Promise<Consul> {
    const open = await portsFor(site, 2 * servers, port);
    const peers = await portsFor(site, 2 * servers);
    const agents = Array.from({ length: servers }, (_, index): Agent => {
      const [http = 0, grpc = 0] = open.slice(2 * index);
      const [rpc = 0, gossip = 0] = peers.slice(2 * index);
      return { number: index + 1, http, grpc, rpc, gossip };
    });
    return new Consul(
      agents.map((agent) => new Server(agentPlan(site, agent, agents, config), site)),
      agents.map(({ grpc }) => grpc),
    );
  }

  private constructor(servers: readonly Server[], grpc: readonly number[]) {
    this.servers = servers;
    this.#grpc = grpc;
  }

  get environment(): Record<string, string> {
    return { QUORATE_CONSUL: this.url, QUORATE_CONSUL_GRPC: this.grpc };
  }

  /** By number, from 1. */
  server(number: number): Server {
    return numbered(this.servers, number, 'Consul server');
  }

  /** The HTTP API of the first server: `http://127.0.0.1:8500`. */
  get url(): string {
    return `http://${this.server(1).address}`;
  }

  /** Where Envoy gets its configuration from the first server: `127.0.0.1:8502`. */
  get grpc(): string {
    return `127.0.0.1:${this.#grpc[0]}`;
  }
}

interface Agent {
  readonly number: number;
  readonly http: number;
  readonly grpc: number;
  readonly rpc: number;
  readonly gossip: number;
}

function agentPlan(
  site: Site,
  agent: Agent,
  all: readonly Agent[],
  config: Readonly<Record<string, unknown>>,
): ServerPlan {
  const name = `consul-${agent.number}`;
  // Ports are merged one by one: whoever adds one does not know ours.
  const { ports, ...rest } = config;
  const settings = {
    node_name: name,
    server: true,
    bootstrap_expect: all.length,
    data_dir: 'data',
    bind_addr: '127.0.0.1',
    client_addr: '127.0.0.1',
    retry_join: all.filter((other) => other !== agent).map(({ gossip }) => `127.0.0.1:${gossip}`),
    retry_interval: '1s',
    ports: {
      http: agent.http,
      grpc: agent.grpc,
      server: agent.rpc,
      serf_lan: agent.gossip,
      serf_wan: -1,
      dns: -1,
      grpc_tls: -1,
      ...(ports as Readonly<Record<string, number>> | undefined),
    },
    connect: { enabled: true },
    ui_config: { enabled: true },
    // The shortest election time-outs Consul has: on loopback there is nothing to wait for.
    performance: { raft_multiplier: 1, leave_drain_time: '0s' },
    leave_on_terminate: false,
    disable_update_check: true,
    // By default too, and said here: anybody on this machine may register a check, and it would run as you.
    enable_script_checks: false,
    enable_local_script_checks: false,
    disable_remote_exec: true,
    ...rest,
  };
  const address = `127.0.0.1:${agent.http}`;
  return {
    name,
    address,
    command: site.program('consul').path,
    args: ['agent', '-config-file=consul.json', '-log-level=info'],
    ports: [agent.http, agent.grpc, agent.rpc, agent.gossip],
    files: { 'consul.json': JSON.stringify(settings, null, 2) },
    // A leader is not enough: until the catalog is readable through it a registration fails.
    ready: async (signal) => {
      if (!/^".+"$/.test((await answerOf(`http://${address}/v1/status/leader`, signal)) ?? '')) return false;
      const nodes = JSON.parse((await answerOf(`http://${address}/v1/catalog/nodes`, signal)) ?? '[]') as unknown[];
      if (nodes.length < all.length) return false;
      return (await answerOf(`http://${address}/v1/connect/ca/roots`, signal)) !== undefined;
    },
  };
}
