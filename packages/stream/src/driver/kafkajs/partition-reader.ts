import { sleep } from '@quorate/core';
import { UnknownTopicError } from '../../errors/unknown-topic-error.ts';
import type { PartitionReader, PartitionReaderEvents, PartitionReaderOptions } from '../partition-reader.ts';
import type { TopicPartition } from '../record.ts';
import { failure } from './failure.ts';
import { Fetching } from './fetching.ts';
import type { Link } from './link.ts';
import { lookFor } from './look-for.ts';
import { offsetsAt } from './offsets-at.ts';
import { Troubles } from './troubles.ts';

/** A consumer of the package reads as a member of a group, and no other way. This one knows of no group. */
export class KafkajsPartitionReader implements PartitionReader {
  readonly #link: Link;
  readonly #events: PartitionReaderEvents;
  readonly #fetching: Fetching;
  readonly #troubles: Troubles;
  readonly #over = new AbortController();

  static async start(
    link: Link,
    { topic, from, signal }: PartitionReaderOptions,
    events: PartitionReaderEvents,
  ): Promise<KafkajsPartitionReader> {
    await lookFor(link, [topic], signal);
    const { partitions } = link.topic(topic);
    if ([...from.keys()].some((partition) => !partitions.has(partition))) throw new UnknownTopicError(topic);
    const reader = new KafkajsPartitionReader(link, events);
    for (const [partition, offset] of from) reader.#fetching.place({ topic, partition }, offset);
    reader.#fetching.start();
    return reader;
  }

  private constructor(link: Link, events: PartitionReaderEvents) {
    this.#link = link;
    this.#events = events;
    this.#troubles = new Troubles((error) => events.trouble(error));
    const outOfRange = (partition: TopicPartition, offset: bigint): void => void this.#goOn(partition, offset);
    this.#fetching = new Fetching(link, { records: (...read) => events.records(...read), outOfRange }, this.#troubles);
  }

  pause(partition: TopicPartition): void {
    this.#fetching.pause(partition);
  }

  resume(partition: TopicPartition): void {
    this.#fetching.resume(partition);
  }

  async stop(): Promise<void> {
    this.#over.abort();
    this.#fetching.stop();
    await this.#link.close();
  }

  /** From where the partition begins now. An offset after its end was of a topic that was deleted, or lost by the cluster: then as well. */
  async #goOn(partition: TopicPartition, offset: bigint): Promise<void> {
    const { signal } = this.#over;
    const place = `begin ${partition.partition}`;
    while (!signal.aborted)
      try {
        const [begin = offset] = (await offsetsAt(this.#link, [partition], 'earliest', { signal })).values();
        this.#troubles.clear(place);
        if (begin > offset) this.#events.missed(partition, begin - offset);
        return this.#fetching.place(partition, begin);
      } catch (error) {
        if (!signal.aborted) this.#troubles.set(place, failure(error, { what: 'look for offsets', ...partition }));
        await sleep(1_000, { signal, background: true }).catch(() => {});
      }
  }
}
