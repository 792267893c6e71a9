import { randomBytes } from 'node:crypto';
import { run } from '../processes/run.ts';
import { Server, type ServerPlan } from '../processes/server.ts';
import { type JavaOptions, javaArguments } from './java.ts';
import { kafkaServes } from './kafka-serves.ts';
import { numbered, portsFor, type Site } from './site.ts';

export interface KafkaOptions extends JavaOptions {
  readonly brokers?: 1 | 3;
  /** The port of the first broker; the others follow it. Free ports by default. */
  readonly port?: number;
  /** Further lines of server.properties. */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
}

/** A Kafka cluster in KRaft mode: every broker is a controller too. */
export class Kafka {
  readonly servers: readonly Server[];

  static async plan(site: Site, { brokers = 1, port, ...options }: KafkaOptions): Promise<Kafka> {
    const clients = await portsFor(site, brokers, port);
    const controllers = await portsFor(site, brokers);
    const cluster = clusterId();
    const voters = controllers.map((controller, index) => `${index + 1}@127.0.0.1:${controller}`).join(',');
    return new Kafka(
      clients.map((client, index) => {
        const broker: Broker = { id: index + 1, client, controller: controllers[index] ?? 0, voters, cluster, brokers };
        return new Server(brokerPlan(site, broker, options), site);
      }),
    );
  }

  private constructor(servers: readonly Server[]) {
    this.servers = servers;
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
}

/** 16 bytes in URL-safe base64. Kafka's own tool takes one that begins with a dash for an option. */
export function clusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? clusterId() : id;
}

interface Broker {
  readonly id: number;
  readonly client: number;
  readonly controller: number;
  readonly voters: string;
  readonly cluster: string;
  readonly brokers: number;
}

function brokerPlan(site: Site, broker: Broker, { config, jvm = [] }: KafkaOptions): ServerPlan {
  const { id, client, controller, brokers: replicas } = broker;
  const inSync = Math.max(1, replicas - 1);
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': broker.voters,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${client},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${client}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
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
  const address = `127.0.0.1:${client}`;
  const java = site.program('java').path;
  const machine = javaArguments(site, 'kafka', '512m', {
    jvm: ['-Dlog4j2.configurationFile=log4j2.properties', ...jvm],
  });
  return {
    name: `kafka-${id}`,
    address,
    command: java,
    args: [...machine, 'kafka.Kafka', 'server.properties'],
    ports: [client, controller],
    files: {
      'server.properties': Object.entries(settings)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
      'log4j2.properties': log4j2,
    },
    prepare: async (cwd, launcher, signal) => {
      const format = ['kafka.tools.StorageTool', 'format', '-t', broker.cluster, '-c', 'server.properties'];
      await run(launcher, { command: java, args: [...machine, ...format], cwd, signal });
    },
    ready: (signal) => kafkaServes(address, replicas, signal),
    startWithin: 120_000,
  };
}

const log4j2 = `rootLogger.level=INFO
rootLogger.appenderRefs=out
rootLogger.appenderRef.out.ref=OUT
appender.out.type=Console
appender.out.name=OUT
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{HH:mm:ss.SSS} %-5p %c{1} %m%n
`;
