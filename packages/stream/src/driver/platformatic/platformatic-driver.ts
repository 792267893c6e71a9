import { InvalidArgumentError } from '@quorate/core';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { Admin } from '../admin.ts';
import type { Appender } from '../appender.ts';
import type { Driver } from '../driver.ts';
import type { GroupReader, GroupReaderEvents, GroupReaderOptions } from '../group-reader.ts';
import type { PartitionReader, PartitionReaderEvents, PartitionReaderOptions } from '../partition-reader.ts';
import type { ConnectionSettings } from '../settings.ts';
import type { Transactor } from '../transactor.ts';
import { Cluster } from './cluster.ts';
import { Connections } from './connections.ts';
import { patience } from './fetching.ts';
import { identify } from './identity.ts';
import type { Library } from './library.ts';
import { Membership } from './membership.ts';
import { PlatformaticAdmin } from './platformatic-admin.ts';
import { PlatformaticAppender } from './platformatic-appender.ts';
import { PlatformaticGroupReader } from './platformatic-group-reader.ts';
import { PlatformaticPartitionReader } from './platformatic-partition-reader.ts';
import { PlatformaticTransactor } from './platformatic-transactor.ts';
import { type Requests, requestsOf } from './requests.ts';
import { TransactionCoordinator } from './transaction-coordinator.ts';

/** Speaks to Kafka by @platformatic/kafka. Connects to nobody yet. */
export async function platformaticDriver(settings: ConnectionSettings): Promise<Driver> {
  return new PlatformaticDriver(await importLibrary(), settings);
}

async function importLibrary(): Promise<Library> {
  try {
    return await import('@platformatic/kafka');
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new InvalidArgumentError('driver', 'a driver whose library is there: npm install @platformatic/kafka');
  }
}

class PlatformaticDriver implements Driver {
  readonly name = 'platformatic';
  readonly admin: Admin;
  readonly #library: Library;
  readonly #requests: Requests;
  readonly #settings: ConnectionSettings;
  /** For whoever asks shortly. */
  readonly #cluster: Cluster;
  /** How to close what is open, by what is closed last of it. */
  readonly #underway: Map<Connections, () => Promise<void>> = new Map();
  #closed: Promise<void> | undefined;

  constructor(library: Library, settings: ConnectionSettings) {
    this.#library = library;
    this.#settings = settings;
    this.#requests = requestsOf(library);
    this.#cluster = this.#newCluster();
    // Readers need it until they have left their groups.
    this.#underway.delete(this.#cluster.connections);
    this.admin = new PlatformaticAdmin(this.#cluster, library);
  }

  async appender({ signal }: { readonly signal: AbortSignal }): Promise<Appender> {
    const cluster = this.#newCluster();
    const appender = await this.#open(
      cluster,
      async () => new PlatformaticAppender(cluster, this.#library, await identify(cluster, signal)),
    );
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
      return new PlatformaticTransactor(id, cluster, this.#library, coordinator, identity);
    });
    this.#underway.set(cluster.connections, () => transactor.close());
    return transactor;
  }

  async readGroup(options: GroupReaderOptions, events: GroupReaderEvents): Promise<GroupReader> {
    const fetches = this.#newFetches();
    const membership = new Membership(this.#library, this.#requests, this.#cluster, options);
    const reader = new PlatformaticGroupReader({ cluster: this.#cluster, membership, fetches }, options, events);
    this.#underway.set(fetches, () => reader.stop());
    await reader.start();
    return reader;
  }

  async readPartitions(options: PartitionReaderOptions, events: PartitionReaderEvents): Promise<PartitionReader> {
    const fetches = this.#newFetches();
    const reader = new PlatformaticPartitionReader(this.#cluster, fetches, options, events);
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
    const connections = new Connections(this.#library, this.#requests, this.#settings, { requestTimeout, closed });
    this.#underway.set(connections, async () => connections.close());
    return connections;
  }
}
