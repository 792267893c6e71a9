import { InvalidArgumentError } from '@quorate/core';
import { Server } from '../processes/server.ts';
import type { ServerPlan } from '../processes/server-plan.ts';
import { ask } from './ask.ts';
import { type JavaOptions, javaArguments } from './java.ts';
import { numbered, portsFor, type Site } from './site.ts';
import { type ZooKeeperVersion, zooKeeperProgram } from './zookeeper-version.ts';

export interface ZooKeeperOptions extends JavaOptions {
  readonly members?: 1 | 3 | 5;
  /** Another version than the one that every bed has, for tests of clients: fetched when it is first asked for. */
  readonly version?: ZooKeeperVersion;
  /** Further servers that run beside the ensemble, and are no members until a `reconfig` adds them. Default 0. */
  readonly spares?: number;
  /** The client port of the first member; the others follow it. Free ports by default. */
  readonly port?: number;
  /** Whether the members reach one another through links, so that a partition can part them. Default true. */
  readonly links?: boolean;
  /** Further lines of zoo.cfg, or other values for ours: `{ tickTime: 2000 }` (500 by default; a session lives two ticks or more). */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
}

/** A ZooKeeper ensemble, or a single server. */
export class ZooKeeper {
  /** Those that the ensemble began with. */
  readonly members: readonly Server[];
  readonly spares: readonly Server[];
  readonly #lines: readonly string[];

  static async plan(
    site: Site,
    { members = 1, spares = 0, port, links = true, ...options }: ZooKeeperOptions,
  ): Promise<ZooKeeper> {
    const all = members + spares;
    const clients = await portsFor(site, all, port);
    const peers = all > 1 ? await portsFor(site, 2 * all) : [];
    const own = (index: number): number[] => peers.slice(2 * index, 2 * index + 2);
    const neighbours = clients.map((_, index) => ({ name: nameOf(index + 1), ports: own(index) }));
    const gateways = links && all > 1 ? await site.links.connect(neighbours) : [];
    const lines = clients.map(
      (client, index) => `server.${index + 1}=127.0.0.1:${own(index).join(':')}:participant;127.0.0.1:${client}`,
    );
    const servers = clients.map((client, index) => {
      // A spare finds the ensemble by its members, and nobody knows of it.
      const ensemble = lines.filter((_, other) => other < members || other === index);
      const gateway = gateways[index];
      const member = { id: index + 1, client, own: own(index), ensemble: all > 1 ? ensemble : [], gateway };
      return new Server(memberPlan(site, member, options), site);
    });
    return new ZooKeeper(servers, members, lines);
  }

  private constructor(servers: readonly Server[], members: number, lines: readonly string[]) {
    this.members = servers.slice(0, members);
    this.spares = servers.slice(members);
    this.#lines = lines;
  }

  get servers(): readonly Server[] {
    return [...this.members, ...this.spares];
  }

  /** For a client: every member that the ensemble began with, `127.0.0.1:2181,127.0.0.1:2182,…`. */
  get url(): string {
    return this.members.map(({ address }) => address).join(',');
  }

  get environment(): Record<string, string> {
    return { QUORATE_ZOOKEEPER: this.url };
  }

  /** By number, from 1. */
  member(number: number): Server {
    return numbered(this.members, number, 'ZooKeeper member');
  }

  /** What a `reconfig` is told when a server joins: its line of the configuration. */
  lineOf(server: Server): string {
    const line = this.#lines[this.servers.indexOf(server)];
    if (line !== undefined) return line;
    throw new InvalidArgumentError('server', 'a ZooKeeper server of this bed', server.name);
  }

  /** The server that leads now, or the single server; undefined while there is none. */
  async leader(): Promise<Server | undefined> {
    for (const server of this.servers) if (await this.isLeader(server)) return server;
    return undefined;
  }

  /** One of the numbers that a member gives to monitors, such as `zk_watch_count`. Asking counts as a packet. */
  async figure(name: string, number = 1): Promise<number> {
    const answer = await ask(this.member(number).address, 'mntr', { signal: AbortSignal.timeout(10_000) });
    const value = new RegExp(`^${name}\\t(\\d+)`, 'm').exec(answer)?.[1];
    if (value === undefined) throw new InvalidArgumentError('name', 'a number that mntr reports', name);
    return Number(value);
  }

  /** What the member itself believes: one that has just been cut off takes itself for the leader beside the new one. */
  async isLeader(server: Server): Promise<boolean> {
    if (server.state !== 'running') return false;
    const mode = await modeOf(server.address, AbortSignal.timeout(2_000)).catch(() => undefined);
    return mode === 'leader' || mode === 'standalone';
  }
}

interface Member {
  readonly id: number;
  readonly client: number;
  /** Its ports for the other members. */
  readonly own: readonly number[];
  /** The `server.N` lines; none for a single server. */
  readonly ensemble: readonly string[];
  /** The port of the proxy through which it reaches the others. */
  readonly gateway: number | undefined;
}

function nameOf(id: number): string {
  return `zookeeper-${id}`;
}

function memberPlan(
  site: Site,
  { id, client, own, ensemble, gateway }: Member,
  { config, jvm, version }: ZooKeeperOptions,
): ServerPlan {
  const settings = {
    tickTime: 500,
    initLimit: 20,
    syncLimit: 10,
    dataDir: 'data',
    maxClientCnxns: 0,
    'admin.enableServer': false,
    '4lw.commands.whitelist': '*',
    reconfigEnabled: true,
    extendedTypesEnabled: true,
    ...(ensemble.length === 0 && { clientPort: client, clientPortAddress: '127.0.0.1' }),
    ...config,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  const address = `127.0.0.1:${client}`;
  return {
    name: nameOf(id),
    address,
    command: site.program('java').path,
    args: [
      ...javaArguments(site, zooKeeperProgram(version), '256m', {
        jvm: ['-Dlogback.configurationFile=logback.xml', ...throughGateway(gateway), ...(jvm ?? [])],
      }),
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      'zoo.cfg',
    ],
    ports: [client, ...own],
    files: {
      'zoo.cfg': `${[...lines, ...ensemble].join('\n')}\n`,
      'data/myid': `${id}\n`,
      'logback.xml': logback,
    },
    ready: async (signal) => ['leader', 'follower', 'standalone'].includes((await modeOf(address, signal)) ?? ''),
  };
}

// Java passes loopback by unless told, by an empty list, that there is nothing to pass by.
function throughGateway(port: number | undefined): string[] {
  if (port === undefined) return [];
  return ['-DsocksProxyHost=127.0.0.1', `-DsocksProxyPort=${port}`, '-DsocksNonProxyHosts='];
}

// Without a configuration logback logs every packet.
const logback = `<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{HH:mm:ss.SSS} %-5level %logger{0} %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
`;

/** What the member says it is: leader, follower, standalone; undefined while it does not serve. */
async function modeOf(address: string, signal: AbortSignal): Promise<string | undefined> {
  return /^Mode: (\S+)/m.exec(await ask(address, 'srvr', { signal }))?.[1];
}
