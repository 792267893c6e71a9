import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { PartitionReader, PartitionReaderEvents, PartitionReaderOptions } from '../partition-reader.ts';
import type { TopicPartition } from '../record.ts';
import type { Cluster } from './cluster.ts';
import type { Connections } from './connections.ts';
import { Again } from './failure.ts';
import { Fetching } from './fetching.ts';
import { earliest, keyOf, listOffsets } from './offsets.ts';
import { persist } from './persist.ts';
import { Troubles } from './troubles.ts';

/** Reads partitions for whoever knows from where. */
export class KafkaPartitionReader implements PartitionReader {
  readonly #cluster: Cluster;
  readonly #fetches: Connections;
  readonly #options: PartitionReaderOptions;
  readonly #events: PartitionReaderEvents;
  readonly #troubles: Troubles;
  readonly #fetching: Fetching;
  readonly #stop = new AbortController();

  /** `fetches` are for reading, and nothing else. */
  constructor(cluster: Cluster, fetches: Connections, options: PartitionReaderOptions, events: PartitionReaderEvents) {
    this.#cluster = cluster;
    this.#fetches = fetches;
    this.#options = options;
    this.#events = events;
    const troubles = new Troubles((error) => events.trouble(error));
    this.#troubles = troubles;
    this.#fetching = new Fetching(cluster, fetches, {
      records: (partition, records, where) => events.records(partition, records, where),
      astray: (partition, offset) => void this.#find(partition, offset),
      trouble: (error) => (error ? troubles.set('reading', error) : troubles.clear('reading')),
    });
  }

  async start(): Promise<void> {
    const { topic, from, signal } = this.#options;
    try {
      await this.#cluster.find(topic, { what: this.#what, signal });
    } catch (error) {
      await this.stop();
      throw error;
    }
    for (const [partition, offset] of from) this.#fetching.add({ topic, partition }, offset);
  }

  pause(partition: TopicPartition): void {
    this.#fetching.pause(partition);
  }

  resume(partition: TopicPartition): void {
    this.#fetching.resume(partition);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new StreamClosedError('the reader'));
    this.#fetching.stop();
    this.#fetches.close();
  }

  get #what(): string {
    return `read "${this.#options.topic}"`;
  }

  /** Goes on where the partition begins: what was asked for is gone, or belonged to one that is no more. */
  async #find({ topic, partition }: TopicPartition, offset: bigint): Promise<void> {
    const { signal } = this.#stop;
    const asking = { what: this.#what, signal };
    const key = keyOf({ topic, partition });
    try {
      const begin = await persist(
        async () => {
          try {
            await this.#cluster.look([topic], asking);
            return (await listOffsets(this.#cluster, [{ topic, partition }], earliest, asking)).get(key) ?? 0n;
          } catch (error) {
            if (error instanceof Again) this.#troubles.set(key, error.failure);
            throw error;
          }
        },
        { signal, unanswered: Infinity },
      );
      this.#troubles.clear(key);
      if (begin > offset) this.#events.missed({ topic, partition }, begin - offset);
      this.#fetching.move({ topic, partition }, begin);
    } catch (error) {
      if (!signal.aborted) this.#troubles.set(key, error as never);
    }
  }
}
