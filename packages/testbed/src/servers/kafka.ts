import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { InvalidArgumentError } from '@quorate/core';
import { run } from '../processes/run.ts';
import { Server } from '../processes/server.ts';
import type { ServerPlan } from '../processes/server-plan.ts';
import { type JavaOptions, javaArguments } from './java.ts';
import { kafkaServes } from './kafka-serves.ts';
import { numbered, portsFor, type Site } from './site.ts';

export interface KafkaOptions extends JavaOptions {
  readonly brokers?: 1 | 3;
  /** The port of the first broker; the others follow it. Free ports by default. */
  readonly port?: number;
  /** Whether the brokers reach one another through links, so that a partition can part them. Default true, on Linux. */
  readonly links?: boolean;
  /**
   * Names of clients that reach every broker through a link of their own, `bed.link('shop', 'kafka-1')`, and stay on it: brokers
   * have one more listener for each, by its name in capitals, and tell it the links' addresses as theirs.
   */
  readonly clients?: readonly string[];
  /** Further lines of server.properties. */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
}

/** A Kafka cluster in KRaft mode: every broker is a controller too. */
export class Kafka {
  readonly servers: readonly Server[];
  /** Where each client that has links of its own finds the brokers. */
  readonly #linked: ReadonlyMap<string, readonly string[]>;

  static async plan(site: Site, options: KafkaOptions): Promise<Kafka> {
    const { brokers = 1, port, links = process.platform === 'linux', clients: named = [] } = options;
    const clients = await portsFor(site, brokers, port);
    const peers = await portsFor(site, brokers);
    const controllers = await portsFor(site, brokers);
    const ids = clients.map((_, index) => index + 1);
    const neighbours = ids.map((id, index) => ({
      name: nameOf(id),
      ports: [peers[index] ?? 0, controllers[index] ?? 0],
    }));
    const tables = links && brokers > 1 ? await site.links.hosts(neighbours) : [];
    const hostOf = (id: number): string => (tables.length > 0 ? nameOf(id) : '127.0.0.1');
    const voters = ids.map((id, index) => `${id}@${hostOf(id)}:${controllers[index]}`).join(',');
    const cluster = clusterId();
    const ways = new Map<string, readonly Listener[]>();
    for (const client of named) ways.set(client, await listenersFor(site, client, ids));
    const servers = ids.map((id, index) => {
      const [client = 0, peer = 0, controller = 0] = [clients[index], peers[index], controllers[index]];
      const host = hostOf(id);
      const listeners = [
        { name: 'PLAINTEXT', port: client, told: `127.0.0.1:${client}` },
        { name: 'PEERS', port: peer, told: `${host}:${peer}` },
        { name: 'CONTROLLER', port: controller, told: `${host}:${controller}` },
        ...[...ways.values()].flatMap((listeners) => listeners.slice(index, index + 1)),
      ];
      return new Server(brokerPlan(site, { id, listeners, voters, cluster, brokers }, options, tables[index]), site);
    });
    return new Kafka(servers, new Map([...ways].map(([name, listeners]) => [name, listeners.map(({ told }) => told)])));
  }

  private constructor(servers: readonly Server[], linked: ReadonlyMap<string, readonly string[]>) {
    this.servers = servers;
    this.#linked = linked;
  }

  get environment(): Record<string, string> {
    return { QUORATE_KAFKA: this.url };
  }

  /** By number, from 1. */
  broker(number: number): Server {
    return numbered(this.servers, number, 'Kafka broker');
  }

  /** For a client: every broker's address. */
  get brokers(): readonly string[] {
    return this.servers.map(({ address }) => address);
  }

  /** The same as one string, with commas. */
  get url(): string {
    return this.brokers.join(',');
  }

  /** For a client that is named in `clients`: every broker's address by its link. */
  brokersFor(client: string): readonly string[] {
    const addresses = this.#linked.get(client);
    if (addresses) return addresses;
    const named = [...this.#linked.keys()].join(', ') || 'none: this bed was started without';
    throw new InvalidArgumentError('client', `one of kafka.clients (${named})`, client);
  }
}

/** 16 bytes in URL-safe base64. Kafka's own tool takes one that begins with a dash for an option. */
export function clusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? clusterId() : id;
}

interface Listener {
  readonly name: string;
  readonly port: number;
  /** What whoever connects to it is told to be its address. */
  readonly told: string;
}

interface Broker {
  readonly id: number;
  /** The one for any client comes first. */
  readonly listeners: readonly Listener[];
  readonly voters: string;
  readonly cluster: string;
  readonly brokers: number;
}

function nameOf(id: number): string {
  return `kafka-${id}`;
}

/** One of each broker for this client alone. */
async function listenersFor(site: Site, client: string, ids: readonly number[]): Promise<Listener[]> {
  const listeners: Listener[] = [];
  for (const id of ids) {
    const port = await site.ports.claim();
    listeners.push({ name: client.toUpperCase(), port, told: await site.links.advertise(client, nameOf(id), port) });
  }
  return listeners;
}

function brokerPlan(
  site: Site,
  broker: Broker,
  { config, jvm = [] }: KafkaOptions,
  table: ReadonlyMap<string, string> | undefined,
): ServerPlan {
  const { id, listeners, brokers: replicas } = broker;
  const inSync = Math.max(1, replicas - 1);
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': broker.voters,
    'controller.listener.names': 'CONTROLLER',
    listeners: listeners.map(({ name, port }) => `${name}://127.0.0.1:${port}`).join(','),
    'advertised.listeners': listeners.map(({ name, told }) => `${name}://${told}`).join(','),
    'listener.security.protocol.map': listeners.map(({ name }) => `${name}:PLAINTEXT`).join(','),
    'inter.broker.listener.name': 'PEERS',
    'log.dirs': 'data',
    'num.partitions': 1,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.num.partitions': 5,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': 5,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': 0,
    // A broker that was killed may come back only when its old registration has run out: 9 s by Kafka's default.
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    ...config,
  };
  const ports = listeners.map(({ port }) => port);
  const address = `127.0.0.1:${ports[0]}`;
  const java = site.program('java').path;
  const machine = javaArguments(site, 'kafka', '512m', {
    jvm: ['-Dlog4j2.configurationFile=log4j2.properties', ...(table ? ['-Djdk.net.hosts.file=hosts'] : []), ...jvm],
  });
  return {
    name: nameOf(id),
    address,
    command: java,
    args: [...machine, 'kafka.Kafka', 'server.properties'],
    ports,
    files: {
      'server.properties': Object.entries(settings)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
      'log4j2.properties': log4j2,
      ...(table && { hosts: hostsFile(table) }),
    },
    prepare: async (cwd, launcher, signal) => {
      const format = ['kafka.tools.StorageTool', 'format', '-t', broker.cluster, '-c', 'server.properties'];
      await run(launcher, { command: java, args: [...machine, ...format], cwd, signal });
    },
    ready: (signal) => kafkaServes(address, replicas, signal),
    startWithin: 120_000,
  };
}

/** With a table of its own a Java machine asks nobody else: it must find this machine in it too. */
function hostsFile(table: ReadonlyMap<string, string>): string {
  const here = [...new Set(['localhost', hostname()])].map((name) => `127.0.0.1 ${name}\n`);
  return [...here, ...[...table].map(([name, host]) => `${host} ${name}\n`)].join('');
}

// Each part of Kafka would tell all its settings, hundreds of lines at a time.
const log4j2 = `rootLogger.level=INFO
logger.settings.name=org.apache.kafka.common.config.AbstractConfig
logger.settings.level=WARN
rootLogger.appenderRefs=out
rootLogger.appenderRef.out.ref=OUT
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{HH:mm:ss.SSS} %-5p %c{1} %m%n
`;
