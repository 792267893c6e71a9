import { randomBytes } from 'node:crypto';
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
  /** Further settings of redis.conf, but for `requirepass` and `masterauth`: the bed sets its own password. */
  readonly config?: Readonly<Record<string, string | number>>;
}

/** A Redis primary and its replicas, each of which reaches it through a link. */
export class Redis {
  readonly servers: readonly Server[];
  /** The same for all servers, made for this bed: without it any user of the machine could have them write files as you. */
  readonly password: string;

  static async plan(site: Site, { servers = 1, port, config = {} }: RedisOptions): Promise<Redis> {
    const ports = await portsFor(site, servers, port);
    const [primary = 0] = ports;
    const password = randomBytes(18).toString('base64url');
    const plans = ports.map(async (own, index) => {
      const link = index > 0 ? await site.links.lead(nameOf(index + 1), nameOf(1), primary) : undefined;
      return serverPlan(site, { number: index + 1, port: own, primary: link, password }, config);
    });
    const members = (await Promise.all(plans)).map((plan) => new Server(plan, site));
    return new Redis(members, password);
  }

  private constructor(servers: readonly Server[], password: string) {
    this.servers = servers;
    this.password = password;
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

  /** For a client: the primary, `redis://:<password>@127.0.0.1:6379`. */
  get url(): string {
    return this.urlAt(this.primary.address);
  }

  /** The same for another server, or for a link to one. */
  urlAt(address: string): string {
    return `redis://:${this.password}@${address}`;
  }
}

function nameOf(number: number): string {
  return `redis-${number}`;
}

interface Member {
  readonly number: number;
  readonly port: number;
  /** Where it reaches the server whose replica it is. */
  readonly primary: string | undefined;
  readonly password: string;
}

function serverPlan(
  site: Site,
  { number, port, primary, password }: Member,
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
    // In its file, not among its arguments, which any user of the machine can read.
    requirepass: password,
    masterauth: password,
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
      if (primary !== undefined) await eventually('the primary', (left) => pongs(primary, password, left), { signal });
    },
    ready: async (signal) => {
      if (!(await pongs(address, password, signal))) return false;
      if (primary === undefined) return true;
      const info = await ask(address, `AUTH ${password}\r\nINFO replication\r\nQUIT\r\n`, { signal });
      return info.includes('master_link_status:up');
    },
  };
}

/** While a server still reads its data, or copies its primary's, it answers -LOADING or -MASTERDOWN. */
async function pongs(address: string, password: string, signal: AbortSignal): Promise<boolean> {
  const whole = (text: string): boolean => text.split('\r\n').length > 2;
  const answer = await ask(address, `AUTH ${password}\r\nPING\r\n`, { whole, signal });
  return answer.startsWith('+OK\r\n+PONG');
}
