import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { Admin } from '../admin.ts';
import type { Appender } from '../appender.ts';
import type { Driver, DriverName } from '../driver.ts';
import type { GroupReader, GroupReaderEvents, GroupReaderOptions } from '../group-reader.ts';
import type { PartitionReader, PartitionReaderEvents, PartitionReaderOptions } from '../partition-reader.ts';
import type { ConnectionSettings } from '../settings.ts';
import type { Transactor } from '../transactor.ts';
import type { WireMaker } from '../wire.ts';
import { KafkaAdmin } from './admin.ts';
import { KafkaAppender } from './appender.ts';
import { Cluster } from './cluster.ts';
import { Connections } from './connections.ts';
import { patience } from './fetching.ts';
import { KafkaGroupReader } from './group-reader.ts';
import { identify } from './identity.ts';
import { Membership } from './membership.ts';
import { KafkaPartitionReader } from './partition-reader.ts';
import { TransactionCoordinator } from './transaction-coordinator.ts';
import { KafkaTransactor } from './transactor.ts';

/** Everything that this package does with Kafka, over connections of whichever library there is. Connects to nobody yet. */
export class KafkaDriver implements Driver {
  readonly name: DriverName;
  readonly admin: Admin;
  readonly #wires: WireMaker;
  readonly #settings: ConnectionSettings;
  /** For whoever asks shortly. */
  readonly #cluster: Cluster;
  /** How to close what is open, by what is closed last of it. */
  readonly #underway: Map<Connections, () => Promise<void>> = new Map();
  #closed: Promise<void> | undefined;

  constructor(name: DriverName, wires: WireMaker, settings: ConnectionSettings) {
    this.name = name;
    this.#wires = wires;
    this.#settings = settings;
    this.#cluster = this.#newCluster();
    // Readers need it until they have left their groups.
    this.#underway.delete(this.#cluster.connections);
    this.admin = new KafkaAdmin(this.#cluster);
  }

  async appender({ signal }: { readonly signal: AbortSignal }): Promise<Appender> {
    const cluster = this.#newCluster();
    const appender = await this.#open(cluster, async () => new KafkaAppender(cluster, await identify(cluster, signal)));
    this.#underway.set(cluster.connections, () => appender.close());
    return appender;
  }

  async transactor(
    id: string,
    { timeout, signal }: { readonly timeout: number; readonly signal: AbortSignal },
  ): Promise<Transactor> {
    const cluster = this.#newCluster();
    const coordinator = new TransactionCoordinator(cluster, id, timeout);
    const transactor = await this.#open(cluster, async () => {
      const identity = await coordinator.takeOver(signal);
      return new KafkaTransactor(id, cluster, coordinator, identity);
    });
    this.#underway.set(cluster.connections, () => transactor.close());
    return transactor;
  }

  async readGroup(options: GroupReaderOptions, events: GroupReaderEvents): Promise<GroupReader> {
    const fetches = this.#newFetches();
    const membership = new Membership(this.#wires, this.#cluster, options);
    const reader = new KafkaGroupReader({ cluster: this.#cluster, membership, fetches }, options, events);
    this.#underway.set(fetches, () => reader.stop());
    await reader.start();
    return reader;
  }

  async readPartitions(options: PartitionReaderOptions, events: PartitionReaderEvents): Promise<PartitionReader> {
    const fetches = this.#newFetches();
    const reader = new KafkaPartitionReader(this.#cluster, fetches, options, events);
    this.#underway.set(fetches, () => reader.stop());
    await reader.start();
    return reader;
  }

  async close(): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#underway.values()].map((close) => close()));
    this.#cluster.connections.close();
  }

  /** What could not be opened leaves no connection. */
  async #open<T>({ connections }: Cluster, open: () => Promise<T>): Promise<T> {
    try {
      return await open();
    } catch (error) {
      connections.close();
      throw error;
    }
  }

  #newCluster(): Cluster {
    return new Cluster(this.#newConnections(), this.#settings);
  }

  /** For reading: an answer may take so much longer. */
  #newFetches(): Connections {
    return this.#newConnections(this.#settings.requestTimeout + 2 * patience);
  }

  #newConnections(requestTimeout: number = this.#settings.requestTimeout): Connections {
    if (this.#closed) throw new StreamClosedError('the driver');
    const closed = (): boolean => this.#underway.delete(connections);
    const connections = new Connections(this.#wires, this.#settings, { requestTimeout, closed });
    this.#underway.set(connections, async () => connections.close());
    return connections;
  }
}
