import { eventually, type OwnServer, Programs, Testbed } from '@quorate/testbed';
import { Redis, type RedisOptions } from 'ioredis';

type Options = Omit<RedisOptions, 'replyMapping'>;

interface Member {
  readonly name: string;
  /** Lines of its configuration, given its own port. */
  readonly lines: (port: number) => readonly string[];
  /** Further arguments: `--sentinel`. */
  readonly args?: readonly string[];
  /** Files beside its configuration. */
  readonly files?: Readonly<Record<string, string>>;
  /** How a client asks it whether it is there. */
  readonly client?: Options;
}

/** Redis servers in arrangements that the testbed has none of: a cluster, Sentinels, TLS and users. */
export class RedisFamily implements AsyncDisposable {
  readonly #bed: Testbed;

  static async open(): Promise<RedisFamily> {
    return new RedisFamily(await Testbed.start());
  }

  private constructor(bed: Testbed) {
    this.#bed = bed;
  }

  async start({ name, lines, args = [], files = {}, client = {} }: Member): Promise<OwnServer> {
    const { path } = await new Programs().get('redis');
    const usual = ['bind 127.0.0.1', 'save ""', 'repl-diskless-sync yes', 'repl-diskless-sync-delay 0'];
    return this.#bed.run({
      name,
      command: path,
      args: ['redis.conf', ...args],
      files: ({ port }) => ({
        ...files,
        'redis.conf': `${[...usual, `port ${port}`, ...lines(port)].join('\n')}\n`,
      }),
      ready: async (_signal, { port }) => {
        const redis = this.client(port, { ...client, retryStrategy: () => null });
        try {
          return (await redis.ping()) === 'PONG';
        } finally {
          redis.disconnect();
        }
      },
    });
  }

  client(port: number, options: Options = {}): Redis {
    return new Redis({ host: '127.0.0.1', port, ...options }).on('error', () => {});
  }

  /** Three primaries, with a replica each unless it is to be without, every slot served. */
  async cluster({ replicas = true, nodeTimeout = 1_000 } = {}): Promise<readonly OwnServer[]> {
    const lines = ['cluster-enabled yes', `cluster-node-timeout ${nodeTimeout}`, 'cluster-replica-validity-factor 0'];
    const servers = await Promise.all(
      Array.from({ length: replicas ? 6 : 3 }, (_, index) =>
        this.start({ name: `node-${index + 1}`, lines: () => lines }),
      ),
    );
    const clients = servers.map(({ port }) => this.client(port));
    try {
      const [first] = servers;
      for (const client of clients) await client.call('CLUSTER', 'MEET', '127.0.0.1', String(first?.port));
      for (const [index, client] of clients.slice(0, 3).entries()) {
        const [from, to] = [Math.ceil((16_384 / 3) * index), Math.ceil((16_384 / 3) * (index + 1)) - 1];
        const slots = Array.from({ length: to - from + 1 }, (_, slot) => String(from + slot));
        await client.call('CLUSTER', 'ADDSLOTS', ...slots);
      }
      const ids = await Promise.all(clients.map((client) => client.call('CLUSTER', 'MYID')));
      await eventually('all have met', async () => {
        const seen = await Promise.all(clients.map((client) => client.call('CLUSTER', 'NODES')));
        return seen.every((nodes) => ids.every((id) => String(nodes).includes(String(id))));
      });
      for (const [index, client] of clients.slice(3).entries()) {
        await eventually(
          'it follows',
          async () => (await client.call('CLUSTER', 'REPLICATE', String(ids[index]))) === 'OK',
        );
      }
      await eventually('the cluster serves', async () => {
        const infos = await Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')));
        const links = await Promise.all(clients.slice(3).map((client) => client.info('replication')));
        return (
          infos.every((info) => String(info).includes('cluster_state:ok')) &&
          links.every((info) => info.includes('master_link_status:up'))
        );
      });
      return servers;
    } finally {
      for (const client of clients) client.disconnect();
    }
  }

  /** A primary with two replicas, watched by three Sentinels that replace it after half a second. */
  async sentinels(): Promise<{
    readonly primary: OwnServer;
    readonly addresses: { host: string; port: number }[];
  }> {
    const primary = await this.start({ name: 'primary', lines: () => [] });
    const following = [`replicaof 127.0.0.1 ${primary.port}`];
    await Promise.all([1, 2].map((index) => this.start({ name: `replica-${index}`, lines: () => following })));
    const watching = [
      `sentinel monitor taxi 127.0.0.1 ${primary.port} 2`,
      'sentinel down-after-milliseconds taxi 500',
      'sentinel failover-timeout taxi 3000',
    ];
    const sentinels = await Promise.all(
      [1, 2, 3].map((index) =>
        this.start({
          name: `sentinel-${index}`,
          lines: () => watching,
          args: ['--sentinel'],
          client: { enableReadyCheck: false },
        }),
      ),
    );
    await eventually('the Sentinels know all', async () => {
      const states = await Promise.all(sentinels.map(({ port }) => this.#sentinelSees(port)));
      return states.every((state) => state === '2 replicas, 2 others');
    });
    return { primary, addresses: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })) };
  }

  async #sentinelSees(port: number): Promise<string> {
    const client = this.client(port, { enableReadyCheck: false });
    try {
      const fields = (await client.call('SENTINEL', 'MASTER', 'taxi')) as string[] | Record<string, string>;
      const flat = Array.isArray(fields) ? fields : Object.entries(fields).flat();
      const at = (name: string): string | undefined => flat[flat.indexOf(name) + 1];
      return `${at('num-slaves')} replicas, ${at('num-other-sentinels')} others`;
    } finally {
      client.disconnect();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#bed.stop();
  }
}
