import type * as kafkajs from 'kafkajs';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { ConnectionSettings } from '../settings.ts';
import type { Decompress } from './committed.ts';
import { decompressor } from './compression.ts';
import { Connections } from './connections.ts';
import { Answer, failure, root } from './failure.ts';
import type { Broker, KafkajsCluster } from './kafkajs-package.ts';
import { login, loginFailed } from './login.ts';
import { race } from './race.ts';

/** What the package exports, and is used here. */
export type KafkajsModule = Pick<typeof kafkajs, 'Kafka' | 'logLevel' | 'AssignerProtocol' | 'CompressionCodecs'>;

/** As it was last heard of. */
export interface Topic {
  /** By number. A leader of -1: there is none now. */
  readonly partitions: ReadonlyMap<number, { readonly leader: number; readonly replicas: readonly number[] }>;
  /** Why nothing is known of it, by Kafka's number; 0 when there is something. */
  readonly errorCode: number;
}

const unknownTopic: Topic = { partitions: new Map(), errorCode: 3 };

/** A topic that every cluster has or will have. Looking at it alone spares looking at all there are. */
const anyTopic = '__consumer_offsets';

/** Connections of its own to the brokers of a cluster, and what it knows of the cluster. */
export class Link {
  readonly settings: ConnectionSettings;
  readonly decompress: Decompress;
  readonly #module: KafkajsModule;
  readonly #connections: Connections;
  readonly #cluster: KafkajsCluster;
  readonly #topics = new Map<string, Topic>();
  readonly #wanted = new Set<string>([anyTopic]);
  readonly #over = new AbortController();
  readonly #closed = Promise.withResolvers<void>();

  /** Rejects with what is wrong for the caller of `what`, or with the reason of the signal. */
  static async open(
    module: KafkajsModule,
    settings: ConnectionSettings,
    what: string,
    signal: AbortSignal,
  ): Promise<Link> {
    signal.throwIfAborted();
    const link = new Link(module, settings);
    try {
      await race(link.#connect(), signal);
      return link;
    } catch (error) {
      await link.close();
      throw signal.aborted ? signal.reason : failure(error, { what });
    }
  }

  private constructor(module: KafkajsModule, settings: ConnectionSettings) {
    this.settings = settings;
    this.#module = module;
    this.#connections = new Connections(settings);
    this.decompress = decompressor(module.CompressionCodecs);
    const client = new module.Kafka({
      clientId: settings.clientId,
      // Any of them may be the first: not the same for every process.
      brokers: settings.brokers.toSorted(() => Math.random() - 0.5),
      logLevel: module.logLevel.NOTHING,
      connectionTimeout: settings.connectTimeout,
      authenticationTimeout: settings.requestTimeout,
      requestTimeout: settings.requestTimeout,
      socketFactory: this.#connections.factory,
      // Whoever asks tries again, and ends with its own signal: waits of the package would outlive it.
      retry: { retries: 0, initialRetryTime: 1, maxRetryTime: 1 },
      ...(settings.tls && { ssl: settings.tls }),
      ...(settings.sasl && { sasl: login(settings.sasl) }),
    });
    this.#cluster = clusterOf(client);
    this.#connections.mend(this.#cluster);
  }

  /** How the members of a group put what they share out. */
  get protocol(): KafkajsModule['AssignerProtocol'] {
    return this.#module.AssignerProtocol;
  }

  /** Aborts when the connections are closed: nothing is to be asked any more. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Resolves when no connection is left. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Every broker of the list is tried once. */
  async #connect(): Promise<void> {
    const { brokerPool } = this.#cluster;
    let last: unknown;
    for (const _ of this.settings.brokers) {
      let connected = false;
      try {
        await this.#cluster.connect();
        connected = true;
        return await this.look([]);
      } catch (error) {
        last = error;
        const { name } = root(error);
        if (name === loginFailed) throw error;
        // The package goes on to the next one by itself only when it cannot connect, not when nothing is answered.
        if (connected || name !== 'KafkaJSConnectionError') await brokerPool.createSeedBroker();
      }
    }
    throw last;
  }

  /** Looks at these topics anew, and at what else was looked at before. */
  async look(topics: readonly string[]): Promise<void> {
    for (const topic of topics) this.#wanted.add(topic);
    const asked = new Set(this.#wanted);
    // Whoever joins a look that is under way gets that one's topics.
    for (let look = 0; look < 2; look += 1) {
      this.#cluster.targetTopics = asked;
      await this.#cluster.refreshMetadata();
      const found = this.#cluster.brokerPool.metadata?.topicMetadata ?? [];
      for (const { topic, topicErrorCode, partitionMetadata } of found)
        this.#topics.set(topic, {
          errorCode: topicErrorCode,
          partitions: new Map(partitionMetadata.map((partition) => [partition.partitionId, partition])),
        });
      // Whoever still wants one that is not there looks for it by name.
      for (const { topic, topicErrorCode } of found)
        if (topicErrorCode === unknownTopic.errorCode && topic !== anyTopic) this.#wanted.delete(topic);
      if (topics.every((topic) => found.some((other) => other.topic === topic))) return;
    }
  }

  /** As it was at the last look. */
  topic(name: string): Topic {
    return this.#topics.get(name) ?? unknownTopic;
  }

  knows(name: string): boolean {
    return this.#topics.has(name);
  }

  /** Undefined when there is none, or none is known. */
  leader(topic: string, partition: number): number | undefined {
    const leader = this.topic(topic).partitions.get(partition)?.leader ?? -1;
    return leader < 0 ? undefined : leader;
  }

  get nodes(): readonly string[] {
    return this.#cluster.getNodeIds();
  }

  broker(node: number | string): Promise<Broker> {
    return this.#cluster.findBroker({ nodeId: String(node) });
  }

  /** Any that answers. */
  async any(): Promise<Broker> {
    let last: unknown = new Answer(15);
    for (const node of [...this.nodes].sort(() => Math.random() - 0.5)) {
      try {
        return await this.broker(node);
      } catch (error) {
        last = error;
      }
    }
    // Perhaps all addresses are others now.
    await this.#cluster.connect();
    const { seedBroker } = this.#cluster.brokerPool;
    if (!seedBroker) throw last;
    return seedBroker;
  }

  /** The one that topics are made and deleted at, or hands it on. */
  async controller(): Promise<Broker> {
    const controller = this.#cluster.brokerPool.metadata?.controllerId ?? -1;
    return controller < 0 ? this.any() : this.broker(controller);
  }

  /** Is told the name that the coordinator of a group gives to whoever joins. The package keeps it to itself until all have come. */
  set onMemberId(told: (id: string) => void) {
    this.#connections.onMemberId = told;
  }

  /** Whatever is under way with this broker fails. */
  drop(broker: Broker, why: string): void {
    this.#connections.drop(broker.connectionPool, why);
  }

  /** Whatever is under way fails. Idempotent. */
  close(): Promise<void> {
    if (!this.#over.signal.aborted) {
      this.#over.abort(new StreamClosedError('the connection to Kafka'));
      void this.#close().then(this.#closed.resolve);
    }
    return this.closed;
  }

  async #close(): Promise<void> {
    await this.#connections.close();
    await this.#cluster.disconnect().catch(() => {});
    await this.#connections.close();
  }
}

/** The package gives its cluster to whoever decides about the partitions of a group. This consumer never joins one. */
function clusterOf(client: kafkajs.Kafka): KafkajsCluster {
  let found: unknown;
  client.consumer({
    groupId: 'none',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster;
        return {
          name: 'none',
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  return found as KafkajsCluster;
}
