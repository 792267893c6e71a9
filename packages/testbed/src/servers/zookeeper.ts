import { Server, type ServerPlan } from '../processes/server.ts';
import { ask } from './ask.ts';
import { type JavaOptions, javaArguments } from './java.ts';
import { numbered, portsFor, type Site } from './site.ts';

export interface ZooKeeperOptions extends JavaOptions {
  readonly members?: 1 | 3 | 5;
  /** The client port of the first member; the others follow it. Free ports by default. */
  readonly port?: number;
  /** Further lines of zoo.cfg, or other values for ours: `{ tickTime: 2000 }` (500 by default; a session lives two ticks or more). */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
}

/** A ZooKeeper ensemble, or a single server. */
export class ZooKeeper {
  readonly members: readonly Server[];

  static async plan(site: Site, { members = 1, port, ...options }: ZooKeeperOptions): Promise<ZooKeeper> {
    const clients = await portsFor(site, members, port);
    const peers = members > 1 ? await portsFor(site, 2 * members) : [];
    const servers = clients.map((client, index) => {
      const ensemble = clients.map(
        (client, peer) =>
          `server.${peer + 1}=127.0.0.1:${peers[2 * peer]}:${peers[2 * peer + 1]}:participant;127.0.0.1:${client}`,
      );
      const own = members > 1 ? peers.slice(2 * index, 2 * index + 2) : [];
      return memberPlan(site, { id: index + 1, client, own, ensemble: members > 1 ? ensemble : [] }, options);
    });
    return new ZooKeeper(servers.map((plan) => new Server(plan, site.warden)));
  }

  private constructor(members: readonly Server[]) {
    this.members = members;
  }

  get servers(): readonly Server[] {
    return this.members;
  }

  /** For a client: every member, `127.0.0.1:2181,127.0.0.1:2182,…`. */
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

  /** The member that leads now, or the single server; undefined while there is none. */
  async leader(): Promise<Server | undefined> {
    for (const server of this.members) {
      if (server.state !== 'running') continue;
      const mode = await modeOf(server.address, AbortSignal.timeout(2_000)).catch(() => undefined);
      if (mode === 'leader' || mode === 'standalone') return server;
    }
    return undefined;
  }
}

interface Member {
  readonly id: number;
  readonly client: number;
  /** Its ports for the other members. */
  readonly own: readonly number[];
  /** The `server.N` lines; none for a single server. */
  readonly ensemble: readonly string[];
}

function memberPlan(site: Site, { id, client, own, ensemble }: Member, { config, jvm }: ZooKeeperOptions): ServerPlan {
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
    name: `zookeeper-${id}`,
    address,
    command: site.program('java').path,
    args: [
      ...javaArguments(site, 'zookeeper', '256m', { jvm: ['-Dlogback.configurationFile=logback.xml', ...(jvm ?? [])] }),
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
