import { type QuorateError, sleep } from '@quorate/core';
import { KafkaUnreachableError } from '../../errors/kafka-unreachable-error.ts';
import { RefusedError } from '../../errors/refused-error.ts';
import { UnknownTopicError } from '../../errors/unknown-topic-error.ts';
import type { ReadRecord, TopicPartition } from '../record.ts';
import type { Cluster } from './cluster.ts';
import { committedRecords } from './committed-records.ts';
import type { Connections } from './connections.ts';
import { Again, complaint } from './failure.ts';
import { keyOf } from './offsets.ts';
import { nameOf } from './protocol/error-names.ts';
import { type FetchAnswer, type FetchAsk, type FetchedPartition, fetch } from './protocol/fetch.ts';
import { storedBatches } from './protocol/stored-batch.ts';

export interface FetchingEvents {
  records(
    partition: TopicPartition,
    records: readonly ReadRecord[],
    where: { readonly next: bigint; readonly end: bigint },
  ): void;
  /** There is nothing at this offset, and the partition is not read until it is moved. */
  astray(partition: TopicPartition, offset: bigint): void;
  trouble(error: QuorateError | undefined): void;
}

/** A partition that is read. */
interface Place extends TopicPartition {
  topicId: string;
  next: bigint;
  /** Undefined while nobody knows who leads it. */
  leader: number | undefined;
  paused: boolean;
  astray: boolean;
  /** How often in a row it could not be read. */
  failures: number;
}

/** A broker answers when there is something, or after so long, in milliseconds. */
export const patience = 500;
/** While some partition is paused: it is not part of the question, and may be resumed. */
const shortPatience = 80;
const empty = Buffer.alloc(0);
const bytes = { answer: 4 * 1024 * 1024, partition: 1024 * 1024 } as const;

/** Reads partitions from their leaders, one question at a time to each, until it is stopped. */
export class Fetching {
  readonly #cluster: Cluster;
  readonly #connections: Connections;
  readonly #events: FetchingEvents;
  readonly #places: Map<string, Place> = new Map();
  readonly #leaders: Set<number> = new Set();
  readonly #over = new AbortController();
  #change: PromiseWithResolvers<void> = Promise.withResolvers();
  #locating = false;
  #turn = 0;

  /** `connections` are for this alone: a broker that waits for messages answers nothing else on them. */
  constructor(cluster: Cluster, connections: Connections, events: FetchingEvents) {
    this.#cluster = cluster;
    this.#connections = connections;
    this.#events = events;
  }

  /** `topicId`: of the topic to which the offset belongs, where that is known. */
  add(partition: TopicPartition, offset: bigint, topicId = ''): void {
    const { topic, partition: number } = partition;
    this.#places.set(keyOf(partition), {
      topic,
      partition: number,
      topicId,
      next: offset,
      leader: undefined,
      paused: false,
      astray: false,
      failures: 0,
    });
    void this.#locate();
  }

  pause(partition: TopicPartition): void {
    const place = this.#places.get(keyOf(partition));
    if (place) place.paused = true;
  }

  resume(partition: TopicPartition): void {
    const place = this.#places.get(keyOf(partition));
    if (!place?.paused) return;
    place.paused = false;
    this.#changed();
  }

  /** Goes on from here, after it was astray. */
  move(partition: TopicPartition, offset: bigint): void {
    const place = this.#places.get(keyOf(partition));
    if (!place) return;
    place.next = offset;
    place.astray = false;
    this.#changed();
  }

  /** Nothing more comes, from now on. */
  stop(): void {
    this.#over.abort(new Error('stopped'));
    this.#places.clear();
    this.#changed();
  }

  #changed(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers();
    resolve();
  }

  /** Finds out who leads the partitions of which nobody knows, until all are known. */
  async #locate(): Promise<void> {
    if (this.#locating) return;
    this.#locating = true;
    const { signal } = this.#over;
    try {
      // All that are added at the same time are asked for at once.
      await Promise.resolve();
      for (;;) {
        const homeless = [...this.#places.values()].filter(({ leader }) => leader === undefined);
        if (homeless.length === 0) break;
        const failures = Math.max(...homeless.map(({ failures }) => failures));
        if (failures > 0) await sleep(Math.min(1000, 25 * 2 ** Math.min(failures, 6)), { signal });
        await this.#look(homeless);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#locating = false;
    }
  }

  async #look(homeless: readonly Place[]): Promise<void> {
    const { signal } = this.#over;
    const topics = [...new Set(homeless.map(({ topic }) => topic))];
    try {
      await this.#cluster.look(topics, { what: whatOf(topics), signal });
    } catch (error) {
      if (signal.aborted) throw error;
      return this.#failed(homeless, failureOf(error));
    }
    for (const place of homeless) {
      const plan = this.#cluster.plan(place.topic);
      const leader = plan?.leaders[place.partition];
      if (!plan) this.#failed([place], this.#cluster.unplanned(place.topic));
      else if (leader === undefined) this.#failed([place], new UnknownTopicError(place.topic));
      else if (leader < 0 || !this.#cluster.address(leader)) this.#failed([place], noLeader(place));
      else this.#settle(place, plan.id, leader);
    }
    // When all have found theirs: each is asked for all that it leads at once.
    for (const { leader } of homeless) if (leader !== undefined) this.#begin(leader);
    this.#changed();
  }

  #settle(place: Place, topicId: string, leader: number): void {
    const another = place.topicId !== '' && place.topicId !== topicId;
    place.topicId = topicId;
    place.leader = leader;
    // Made anew under the same name: its offsets have nothing to do with those that we have.
    if (another) this.#stray(place);
  }

  #begin(leader: number): void {
    if (this.#leaders.has(leader)) return;
    this.#leaders.add(leader);
    void this.#read(leader);
  }

  /** Asks one leader for as long as it leads something. */
  async #read(leader: number): Promise<void> {
    for (;;) {
      const theirs = [...this.#places.values()].filter((place) => place.leader === leader);
      if (theirs.length === 0) break;
      const wanted = theirs.filter(({ paused, astray }) => !paused && !astray);
      if (wanted.length === 0) await this.#change.promise;
      else await this.#ask(leader, wanted, wanted.length < theirs.length ? shortPatience : patience);
    }
    this.#leaders.delete(leader);
  }

  async #ask(leader: number, wanted: readonly Place[], wait: number): Promise<void> {
    const { signal } = this.#over;
    const what = whatOf(wanted.map(({ topic }) => topic));
    try {
      const address = this.#cluster.address(leader);
      if (!address) throw complaint('BROKER_NOT_AVAILABLE', { what });
      const ask = { maxWaitMs: wait, minBytes: 1, maxBytes: bytes.answer, topics: this.#topicsOf(wanted) };
      const answer = await this.#connections.ask(address, fetch, ask, { what, signal });
      if (signal.aborted) return;
      this.#cluster.check(answer.errorCode, { what });
      this.#take(answer.responses, wanted);
    } catch (error) {
      if (!signal.aborted) this.#failed(wanted, failureOf(error));
    }
  }

  /** In another order each time: a broker fills its answer from the front. */
  #topicsOf(wanted: readonly Place[]): FetchAsk['topics'] {
    this.#turn += 1;
    const turn = this.#turn % wanted.length;
    const ordered = [...wanted.slice(turn), ...wanted.slice(0, turn)];
    return [...Map.groupBy(ordered, ({ topicId }) => topicId)].map(([topicId, places]) => ({
      topicId,
      partitions: places.map(({ partition, next: fetchOffset }) => ({
        partition,
        fetchOffset,
        partitionMaxBytes: bytes.partition,
      })),
    }));
  }

  #take(responses: FetchAnswer['responses'], wanted: readonly Place[]): void {
    const asked = new Map(wanted.map((place) => [`${place.topicId}:${place.partition}`, place]));
    for (const { topicId, partitions } of responses) {
      for (const part of partitions) {
        const place = asked.get(`${topicId}:${part.partitionIndex}`);
        // What comes of one that was paused meanwhile is asked for again.
        if (!place || place.paused || this.#over.signal.aborted) continue;
        const reason = nameOf(part.errorCode);
        if (reason === 'OFFSET_OUT_OF_RANGE') this.#stray(place);
        else if (reason !== 'NONE') this.#failed([place], refused(place, reason));
        else this.#deliver(place, part);
      }
    }
  }

  #deliver(place: Place, { records: bytes, abortedTransactions, lastStableOffset }: FetchedPartition): void {
    const { topic, partition } = place;
    const batches = storedBatches(bytes ?? empty);
    for (const { records, next, unread } of committedRecords(batches, abortedTransactions, place.next)) {
      if (unread) this.#failed([place], unreadable(place, next, unread));
      else this.#well(place);
      if (next === place.next) return;
      place.next = next;
      // A broker may look at the end before it reads on.
      const end = lastStableOffset > next ? lastStableOffset : next;
      this.#events.records({ topic, partition }, records, { next, end });
      // What is left of it is asked for again.
      if (place.paused || this.#over.signal.aborted) return;
    }
  }

  #stray(place: Place): void {
    place.astray = true;
    this.#events.astray({ topic: place.topic, partition: place.partition }, place.next);
  }

  #failed(places: readonly Place[], error: QuorateError): void {
    for (const place of places) {
      place.leader = undefined;
      place.failures += 1;
    }
    // A leader that has moved is found at once, and nothing to speak of.
    if (places.some(({ failures }) => failures > 1)) this.#events.trouble(error);
    void this.#locate();
  }

  #well(place: Place): void {
    if (place.failures === 0) return;
    place.failures = 0;
    if ([...this.#places.values()].every(({ failures }) => failures === 0)) this.#events.trouble(undefined);
  }
}

function whatOf(topics: readonly string[]): string {
  return `read "${[...new Set(topics)].join('", "')}"`;
}

function failureOf(error: unknown): QuorateError {
  return error instanceof Again ? error.failure : (error as QuorateError);
}

function refused(place: TopicPartition, reason: string): QuorateError {
  if (reason === 'UNKNOWN_TOPIC_OR_PARTITION' || reason === 'UNKNOWN_TOPIC_ID')
    return new UnknownTopicError(place.topic);
  return failureOf(complaint(reason, { what: whatOf([place.topic]), topic: place.topic }));
}

function unreadable({ topic, partition }: TopicPartition, offset: bigint, cause: Error): RefusedError {
  const what = `read "${topic}", partition ${partition}, from offset ${offset} (${cause.message})`;
  return new RefusedError(what, 'CORRUPT_MESSAGE', { cause });
}

function noLeader({ topic }: TopicPartition): KafkaUnreachableError {
  return new KafkaUnreachableError(whatOf([topic]), { cause: new Error('no leader') });
}
