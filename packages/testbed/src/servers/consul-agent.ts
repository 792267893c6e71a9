import type { ServerPlan } from '../processes/server-plan.ts';
import { answerOf } from './answers.ts';
import type { Site } from './site.ts';

/** One agent of a cluster: a server or a client. */
export interface Agent {
  readonly number: number;
  readonly server: boolean;
  readonly http: number;
  readonly grpc: number;
  readonly rpc: number;
  readonly gossip: number;
  /** Where the others reach it. */
  readonly known: string;
  /** Where it listens to them. */
  readonly bound: string;
}

export function nameOf(number: number): string {
  return `consul-${number}`;
}

/** What programs on its machine use is on 127.0.0.1, as on any machine; the others reach it at its address. */
export function agentPlan(
  site: Site,
  agent: Agent,
  all: readonly Agent[],
  config: Readonly<Record<string, unknown>>,
): ServerPlan {
  const name = nameOf(agent.number);
  const servers = all.filter(({ server }) => server);
  // Ports are merged one by one: whoever adds one does not know ours.
  const { ports, ...rest } = config;
  const settings = {
    node_name: name,
    server: agent.server,
    ...(agent.server && { bootstrap_expect: servers.length }),
    data_dir: 'data',
    bind_addr: agent.bound,
    advertise_addr: agent.known,
    client_addr: '127.0.0.1',
    retry_join: servers.filter((other) => other !== agent).map(({ known, gossip }) => `${known}:${gossip}`),
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
    // Three stay three: a server that was killed or cut off is to be missed, and not struck off after a few seconds.
    autopilot: { cleanup_dead_servers: false },
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
    // Where there are links, its other ports are theirs.
    ports: [agent.http, agent.grpc, ...(agent.bound === agent.known ? [agent.rpc, agent.gossip] : [])],
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
