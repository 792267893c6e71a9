import { backoff, deadline, type QuorateError } from '@quorate/core';
import { NotAMemberError } from '../../errors/not-a-member-error.ts';
import type { GroupReader, GroupReaderEvents, GroupReaderOptions } from '../group-reader.ts';
import type { TopicPartition } from '../record.ts';
import type { GroupOffset } from '../transactor.ts';
import { failure, hopeless } from './failure.ts';
import { Fetching } from './fetching.ts';
import { heartbeat } from './heartbeat.ts';
import type { Link } from './link.ts';
import { lookFor } from './look-for.ts';
import { type Generation, Membership } from './membership.ts';
import { race } from './race.ts';
import { Troubles } from './troubles.ts';
import { whereToBegin } from './where-to-begin.ts';

/** The member that decides looks so often whether its topics have more partitions now. */
const newPartitionsEvery = 30_000;

/**
 * A member of a group. The package's own consumer gives its partitions up without asking, so this one joins by itself, with the
 * requests that the package has for it.
 */
export class KafkajsGroupReader implements GroupReader {
  readonly #link: Link;
  readonly #options: GroupReaderOptions;
  readonly #events: GroupReaderEvents;
  readonly #membership: Membership;
  readonly #troubles: Troubles;
  readonly #stopping = new AbortController();
  readonly #begun = Promise.withResolvers<void>();
  readonly #delays = backoff({ min: 50, max: 2_000 });
  /** Where the log had nothing, so that the next generation begins elsewhere. */
  readonly #outOfRange = new Map<string, bigint>();
  /** The generation for which commits are taken. */
  #current: Generation | undefined;
  #fetching: Fetching | undefined;
  #confirmedAt = 0;
  #commits: Promise<unknown> = Promise.resolve();
  #life: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(link: Link, options: GroupReaderOptions, events: GroupReaderEvents) {
    this.#link = link;
    this.#options = options;
    this.#events = events;
    this.#membership = new Membership(link, options);
    this.#troubles = new Troubles((error) => events.trouble(error));
    // Nobody may wait for it any more.
    this.#begun.promise.catch(() => {});
  }

  /** Resolves when it has its partitions. When it rejects it has to be stopped all the same. */
  async start(): Promise<void> {
    const { signal, topics } = this.#options;
    await lookFor(this.#link, topics, signal);
    this.#life = this.#live();
    await race(this.#begun.promise, signal);
  }

  pause(partition: TopicPartition): void {
    this.#fetching?.pause(partition);
  }

  resume(partition: TopicPartition): void {
    this.#fetching?.resume(partition);
  }

  /** One after the other: one that is sent again must not come after a later one. */
  commit(offsets: readonly GroupOffset[]): Promise<void> {
    const committed = this.#commits.then(() => this.#commit(offsets));
    this.#commits = committed.catch(() => {});
    return committed;
  }

  async #commit(offsets: readonly GroupOffset[]): Promise<void> {
    const { group, sessionTimeout } = this.#options;
    const generation = this.#current;
    if (!generation) throw new NotAMemberError(group, 'it is between two generations');
    // The coordinator would take it: it knows its members, not who has what.
    const ours = new Set(generation.partitions.map(keyOf));
    if (!offsets.every((offset) => ours.has(keyOf(offset))))
      throw new NotAMemberError(group, 'the partition belongs to another member');
    using limit = deadline(Math.min(sessionTimeout, 4 * this.#link.settings.requestTimeout), this.#link.over);
    await this.#membership.commit(generation, offsets, limit.signal);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    await this.#life;
    await this.#membership.leave();
    await this.#link.close();
  }

  /** One generation after the other. Never rejects. */
  async #live(): Promise<void> {
    const { signal } = this.#stopping;
    const { group } = this.#options;
    while (!signal.aborted)
      try {
        await this.#generation(await this.#membership.join(signal));
      } catch (error) {
        if (signal.aborted) break;
        this.#membership.noted(error);
        const given = failure(error, { what: `join the group "${group}"`, group });
        // Before the first time, whatever is no use to try again ends the start.
        if (hopeless(given)) this.#begun.reject(given);
        if (this.#delays.attempt > 1 && given.code !== 'not-a-member') this.#troubles.set('group', given);
        await this.#delays.wait({ signal }).catch(() => {});
      }
    this.#begun.resolve();
  }

  async #generation(generation: Generation): Promise<void> {
    const over = new AbortController();
    const anew = new AbortController();
    const ended = this.#stay(generation, AbortSignal.any([this.#stopping.signal, anew.signal]));
    let assigned = false;
    try {
      const begin = this.#begin(generation, over.signal, () => anew.abort()).then((begun) => {
        assigned = begun;
      });
      // What goes wrong at the beginning ends the generation; after that, only its end does.
      const ending = await Promise.race([ended, begin.then(() => ended)]);
      this.#fetching?.stop();
      if (!assigned) return;
      if (ending) this.#lose(ending);
      else if (generation.partitions.length > 0) await this.#handOver(generation);
    } finally {
      over.abort();
      anew.abort();
      this.#fetching?.stop();
      this.#fetching = undefined;
      this.#current = undefined;
    }
  }

  /** Looks for where to begin, and reads from there. */
  async #begin(generation: Generation, signal: AbortSignal, anew: () => void): Promise<boolean> {
    const { partitions } = generation;
    const places = await whereToBegin(
      this.#link,
      this.#membership.coordinator,
      this.#options,
      partitions,
      this.#outOfRange,
      signal,
    );
    if (this.#options.from === 'latest') {
      // Whatever comes from now on is to be read, also by whoever has the partition next.
      const fresh = places.filter(({ committed }) => !committed);
      if (fresh.length > 0) await this.#membership.commit(generation, fresh, signal);
    }
    if (signal.aborted || this.#stopping.signal.aborted) return false;
    this.#outOfRange.clear();
    this.#current = generation;
    this.#events.confirmed(this.#confirmedAt);
    const fetching = new Fetching(
      this.#link,
      {
        records: (...read) => this.#events.records(...read),
        outOfRange: ({ topic, partition }, offset) => {
          this.#outOfRange.set(keyOf({ topic, partition }), offset);
          anew();
        },
      },
      this.#troubles,
    );
    this.#fetching = fetching;
    for (const { topic, partition, offset } of places) fetching.place({ topic, partition }, offset);
    this.#events.assigned(places.map(({ committed: _, ...place }) => place));
    this.#begun.resolve();
    this.#delays.reset();
    this.#troubles.clear('group');
    fetching.start();
    return true;
  }

  /** Until it is over. Resolves with why when it was lost. */
  #stay(generation: Generation, over: AbortSignal): Promise<QuorateError | undefined> {
    this.#confirmedAt = generation.confirmedAt;
    let lookedAt = generation.confirmedAt;
    const shared = this.#partitions;
    return heartbeat(this.#membership, generation, this.#options, over, {
      confirmed: async (at, sharedOut) => {
        this.#confirmedAt = at;
        if (this.#current === generation) this.#events.confirmed(at);
        if (sharedOut) return true;
        if (!generation.leads || at - lookedAt < newPartitionsEvery) return false;
        lookedAt = at;
        await race(this.#link.look(this.#options.topics), over).catch(() => {});
        return this.#partitions > shared;
      },
      trouble: (error) => this.#trouble(error),
    });
  }

  #trouble(error: QuorateError | undefined): void {
    if (error) this.#troubles.set('heartbeat', error);
    else this.#troubles.clear('heartbeat');
  }

  /** How many there are to share out. */
  get #partitions(): number {
    return this.#options.topics.reduce((sum, topic) => sum + this.#link.topic(topic).partitions.size, 0);
  }

  #lose(reason: QuorateError): void {
    this.#current = undefined;
    this.#troubles.clear('heartbeat');
    this.#events.lost(reason);
  }

  /** Waits until the caller has let go, or its time is up. The group is told meanwhile that we are there. */
  async #handOver(generation: Generation): Promise<void> {
    using limit = deadline(this.#options.handOver);
    const over = new AbortController();
    const staying = heartbeat(this.#membership, generation, this.#options, over.signal, {
      // Nothing else is told while they let go.
      confirmed: () => false,
      trouble: (error) => this.#trouble(error),
    });
    const lost = staying.then((reason) => reason && this.#lose(reason));
    // A caller that throws has let go as well.
    await race(this.#revoked(), limit.signal).catch(() => {});
    over.abort();
    await lost;
  }

  async #revoked(): Promise<void> {
    await this.#events.revoked();
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
