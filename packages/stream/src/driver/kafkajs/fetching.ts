import { type Backoff, backoff } from '@quorate/core';
import type { ReadRecord, TopicPartition } from '../record.ts';
import { type Committed, committed } from './committed.ts';
import { Answer, failure, reasonOf } from './failure.ts';
import type { FetchedPartition } from './fetch-answer.ts';
import type { Link } from './link.ts';
import { race } from './race.ts';
import { nameOf } from './reasons.ts';
import type { Troubles } from './troubles.ts';

/** How long a broker holds a request back when there is nothing to read. */
const longestWait = 500;

/** The same while a partition is paused: when it is resumed, it has to wait for the answer about the others. */
const shortWait = 100;

/** Of one answer, and of one partition in it. One batch comes even when it is larger. */
const maxBytes = 8 * 1024 * 1024;
const maxPartitionBytes = 1024 * 1024;

const readCommitted = 1;

interface FetchingEvents {
  records(
    partition: TopicPartition,
    records: readonly ReadRecord[],
    where: { readonly next: bigint; readonly end: bigint },
  ): void;
  /** The partition has nothing at this offset: neither a message nor its end. Nothing more is asked of it, until `place`. */
  outOfRange(partition: TopicPartition, offset: bigint): void;
}

interface Place {
  readonly partition: TopicPartition;
  readonly delays: Backoff;
  /** What is asked for next. */
  at: bigint;
  paused: boolean;
  /** After an error, for a while. */
  resting: boolean;
}

/**
 * Reads partitions, one request at a time with each broker. It is not the consumer of the package: that one jumps when
 * messages are gone, joins the group anew when a leader moves, and does not tell of what no consumer sees.
 */
export class Fetching {
  readonly #link: Link;
  readonly #events: FetchingEvents;
  readonly #troubles: Troubles;
  readonly #places = new Map<string, Place>();
  readonly #asking = new Set<number>();
  readonly #over = new AbortController();
  #started = false;

  constructor(link: Link, events: FetchingEvents, troubles: Troubles) {
    this.#link = link;
    this.#events = events;
    this.#troubles = troubles;
  }

  /** Reads the partition from here on. */
  place(partition: TopicPartition, at: bigint): void {
    const key = keyOf(partition);
    const delays = backoff({ min: 50, max: 1_000 });
    const paused = this.#places.get(key)?.paused ?? false;
    this.#places.set(key, { partition, delays, at, paused, resting: false });
    this.#turn();
  }

  start(): void {
    this.#started = true;
    this.#turn();
  }

  pause(partition: TopicPartition): void {
    const place = this.#places.get(keyOf(partition));
    if (place) place.paused = true;
  }

  resume(partition: TopicPartition): void {
    const place = this.#places.get(keyOf(partition));
    if (!place) return;
    place.paused = false;
    this.#turn();
  }

  /** Nothing more comes. */
  stop(): void {
    this.#over.abort();
    this.#troubles.forget('read ');
  }

  /** Asks every leader that has something to be asked for and is not being asked. */
  #turn(): void {
    if (this.#over.signal.aborted || !this.#started) return;
    const ready = [...this.#places.values()].filter(({ paused, resting }) => !paused && !resting);
    for (const [leader, places] of Map.groupBy(ready, ({ partition }) => this.#leaderOf(partition))) {
      if (leader === undefined) for (const place of places) this.#trouble(place, new Answer(5));
      else if (!this.#asking.has(leader)) void this.#ask(leader, places);
    }
  }

  #leaderOf({ topic, partition }: TopicPartition): number | undefined {
    return this.#link.leader(topic, partition);
  }

  async #ask(leader: number, places: readonly Place[]): Promise<void> {
    const { signal } = this.#over;
    this.#asking.add(leader);
    try {
      const broker = await race(this.#link.broker(leader), signal);
      const request = { isolationLevel: readCommitted, maxWaitTime: this.#wait(leader), minBytes: 1, maxBytes };
      const byTopic = Map.groupBy(places, ({ partition }) => partition.topic);
      const topics = [...byTopic].map(([topic, of]) => ({
        topic,
        partitions: of.map(({ partition: { partition }, at }) => ({
          partition,
          fetchOffset: String(at),
          maxBytes: maxPartitionBytes,
        })),
      }));
      const { partitions } = await race(broker.fetch({ ...request, topics }), signal);
      for (const fetched of partitions) {
        const place = places.find(
          ({ partition: { topic, partition } }) => topic === fetched.topic && partition === fetched.partition,
        );
        if (place) await this.#fetched(place, fetched);
      }
    } catch (error) {
      if (signal.aborted) return;
      for (const place of places) this.#trouble(place, error);
    } finally {
      this.#asking.delete(leader);
    }
    this.#turn();
  }

  #wait(leader: number): number {
    const places = this.#places.values();
    const paused = places.some((place) => place.paused && this.#leaderOf(place.partition) === leader);
    return paused ? shortWait : longestWait;
  }

  async #fetched(place: Place, fetched: FetchedPartition): Promise<void> {
    const { errorCode } = fetched;
    try {
      if (errorCode === 0) this.#read(place, await committed(fetched, place.at, this.#link.decompress), fetched.end);
      else if (nameOf(errorCode) !== 'OFFSET_OUT_OF_RANGE') throw new Answer(errorCode);
      else if (this.#reads(place)) {
        place.resting = true;
        this.#events.outOfRange(place.partition, place.at);
      }
    } catch (error) {
      if (this.#reads(place)) this.#trouble(place, error);
    }
  }

  #read(place: Place, { records, next }: Committed, end: bigint): void {
    if (!this.#reads(place)) return;
    place.delays.reset();
    this.#troubles.clear(troubleWith(place));
    // What was on its way when it was paused is asked for again.
    if (next === place.at || place.paused) return;
    place.at = next;
    this.#events.records(place.partition, records, { next, end: end > next ? end : next });
  }

  /** What an earlier answer led to may have ended the reading, or begun it elsewhere. */
  #reads(place: Place): boolean {
    return !this.#over.signal.aborted && this.#places.get(keyOf(place.partition)) === place;
  }

  #trouble(place: Place, error: unknown): void {
    const { topic, partition } = place.partition;
    const given = failure(error, { what: `read "${topic}", partition ${partition}`, topic });
    // Leaders move; that is trouble only when it lasts.
    if (reasonOf(error) === undefined || place.delays.attempt > 1) this.#troubles.set(troubleWith(place), given);
    void this.#rest(place);
  }

  /** Asks for nothing of it for a while, and looks who leads it. */
  async #rest(place: Place): Promise<void> {
    const { signal } = this.#over;
    if (place.resting) return;
    place.resting = true;
    try {
      await place.delays.wait({ signal });
      await race(this.#link.look([place.partition.topic]), signal);
    } catch {
      // The next request says what is wrong.
    }
    place.resting = false;
    this.#turn();
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function troubleWith({ partition }: Place): string {
  return `read ${keyOf(partition)}`;
}
