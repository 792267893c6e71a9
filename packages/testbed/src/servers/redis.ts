import { eventually } from '../eventually.ts';
import { Server } from '../processes/server.ts';
import type { ServerPlan } from '../processes/server-plan.ts';
import { ask } from './ask.ts';
import { numbered, portsFor, type Site } from './site.ts';

export interface RedisOptions {
  /** How many servers: the first is the primary, the others are its replicas. Default 1. */
  readonly servers?: number;
  /** The primary's port; the replicas follow it. Free ports by default. */
  readonly port?: number;
  /** Further settings of redis.conf. */
  readonly config?: Readonly<Record<string, string | number>>;
}

/** A Redis primary and its replicas, each of which reaches it through a link. */
export class Redis {
  readonly servers: readonly Server[];

  static async plan(site: Site, { servers = 1, port, config = {} }: RedisOptions): Promise<Redis> {
    const ports = await portsFor(site, servers, port);
    const [primary = 0] = ports;
    const plans = ports.map(async (own, index) => {
      const link = index > 0 ? await site.links.lead(nameOf(index + 1), nameOf(1), primary) : undefined;
      return serverPlan(site, index + 1, own, link, config);
    });
    return new Redis((await Promise.all(plans)).map((plan) => new Server(plan, site)));
  }

  private constructor(servers: readonly Server[]) {
    this.servers = servers;
  }

  get primary(): Server {
    return numbered(this.servers, 1, 'Redis server');
  }

  get replicas(): readonly Server[] {
    return this.servers.slice(1);
  }

  get environment(): Record<string, string> {
    return { QUORATE_REDIS: this.url };
  }

  /** By number, from 1: the primary is 1. */
  server(number: number): Server {
    return numbered(this.servers, number, 'Redis server');
  }

  /** For a client: the primary, `redis://127.0.0.1:6379`. */
  get url(): string {
    return `redis://${this.primary.address}`;
  }
}

function nameOf(number: number): string {
  return `redis-${number}`;
}

function serverPlan(
  site: Site,
  number: number,
  port: number,
  primary: string | undefined,
  config: Readonly<Record<string, string | number>>,
): ServerPlan {
  const settings: Record<string, string | number> = {
    bind: '127.0.0.1',
    port,
    // Each acknowledged write is in the file before its reply leaves: it survives a kill of the process.
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '""',
    'repl-diskless-sync': 'yes',
    'repl-diskless-sync-delay': 0,
    ...(primary !== undefined && { replicaof: primary.replace(':', ' ') }),
    ...config,
  };
  const address = `127.0.0.1:${port}`;
  return {
    name: nameOf(number),
    address,
    command: site.program('redis').path,
    args: ['redis.conf'],
    ports: [port],
    files: {
      'redis.conf': Object.entries(settings)
        .map(([key, value]) => `${key} ${value}\n`)
        .join(''),
    },
    // A replica that does not find its primary at once tries again only after a second.
    prepare: async (_folder, _launcher, signal) => {
      if (primary !== undefined) await eventually('the primary', (left) => pongs(primary, left), { signal });
    },
    ready: async (signal) => {
      if (!(await pongs(address, signal))) return false;
      if (primary === undefined) return true;
      const info = await ask(address, 'INFO replication\r\nQUIT\r\n', { signal });
      return info.includes('master_link_status:up');
    },
  };
}

/** While a server still reads its data, or copies its primary's, it answers -LOADING or -MASTERDOWN. */
async function pongs(address: string, signal: AbortSignal): Promise<boolean> {
  const answer = await ask(address, 'PING\r\n', { whole: (text) => text.endsWith('\r\n'), signal });
  return answer.startsWith('+PONG');
}
