import { setImmediate } from 'node:timers/promises';
import { AmbiguousError, type Backoff, backoff, isQuorateError, type QuorateError, sleep } from '@quorate/core';
import { NotAMemberError } from '../../errors/not-a-member-error.ts';
import { StreamClosedError } from '../../errors/stream-closed-error.ts';
import type { GroupReader, GroupReaderEvents, GroupReaderOptions } from '../group-reader.ts';
import type { TopicPartition } from '../record.ts';
import type { GroupOffset } from '../transactor.ts';
import type { Cluster } from './cluster.ts';
import type { Connections } from './connections.ts';
import { Again } from './failure.ts';
import { Fetching } from './fetching.ts';
import { commitForSure, commitOnce } from './group-commit.ts';
import type { Generation, Membership } from './membership.ts';
import { watchMissing } from './missing-topics.ts';
import { keyOf } from './offsets.ts';
import { persist, until } from './persist.ts';
import { type Positions, positions } from './positions.ts';
import { Tenure } from './tenure.ts';
import { Troubles } from './troubles.ts';

export interface GroupReaderParts {
  readonly cluster: Cluster;
  readonly membership: Membership;
  /** For reading, and nothing else. */
  readonly fetches: Connections;
}

/** How long a broker may take to hear that we leave. */
const leaveTakes = 2_000;

/** How long the other partitions wait for one whose leader does not answer. */
const leaderTakes = 2_000;

/** Joins the group, reads what is its share, hands it over when the group shares anew, and joins again. */
export class KafkaGroupReader implements GroupReader {
  readonly #parts: GroupReaderParts;
  readonly #options: GroupReaderOptions;
  readonly #events: GroupReaderEvents;
  readonly #troubles: Troubles;
  readonly #stop = new AbortController();
  readonly #closed = new AbortController();
  readonly #started: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #pauses: Backoff = backoff({ min: 100, max: 3_000 });
  #began = false;
  #fetching: Fetching | undefined;
  #tenure: Tenure | undefined;
  /** The ids of the topics of which they are. */
  #ids: ReadonlyMap<string, string> = new Map();
  /** The one whose partitions are ours: from `assigned` until they were handed over, or lost. */
  #held: Generation | undefined;
  /** The last `revoked`: it may take longer than anybody waits for it. */
  #revoked: Promise<void> = Promise.resolve();
  #revoking = false;
  #running: Promise<void> | undefined;
  #committed: Promise<void> = Promise.resolve();

  constructor(parts: GroupReaderParts, options: GroupReaderOptions, events: GroupReaderEvents) {
    this.#parts = parts;
    this.#options = options;
    this.#events = events;
    this.#troubles = new Troubles((error) => events.trouble(error));
  }

  /** Resolves when it is a member and knows where to begin; `assigned` follows. */
  async start(): Promise<void> {
    this.#started.promise.catch(() => {});
    this.#running = this.#run();
    try {
      await until(this.#started.promise, this.#options.signal);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  pause(partition: TopicPartition): void {
    this.#fetching?.pause(partition);
  }

  resume(partition: TopicPartition): void {
    this.#fetching?.resume(partition);
  }

  async commit(offsets: readonly GroupOffset[]): Promise<void> {
    const { group } = this.#options;
    const generation = this.#held;
    if (!generation) throw new NotAMemberError(group, 'it has no partitions');
    const ours = new Set(generation.partitions.map(keyOf));
    const strange = offsets.find((offset) => !ours.has(keyOf(offset)));
    // The group takes offsets of any partition from any member.
    if (strange) throw new NotAMemberError(group, `${strange.topic}[${strange.partition}] is not its own`);
    if (offsets.length === 0) return;
    const { cluster, membership } = this.#parts;
    const commit = { cluster, membership, group, generation, offsets, ids: this.#ids };
    // One after the other: one that is tried again must not come after a later one.
    const committing = this.#committed.then(() => commitForSure(commit, this.#closed.signal));
    this.#committed = committing.catch(() => {});
    await committing;
  }

  rejoin(): void {
    this.#tenure?.end('rebalance');
  }

  async stop(): Promise<void> {
    this.#stop.abort(new StreamClosedError('the reader'));
    this.#tenure?.end('stop');
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#serve(await this.#join());
      } catch (error) {
        if (!signal.aborted) await this.#failed(error);
      }
    }
    this.#started.reject(signal.reason);
    await this.#parts.membership.leave(leaveTakes);
    this.#closed.abort(signal.reason);
    this.#parts.membership.close();
    this.#parts.fetches.close();
  }

  async #join(): Promise<Generation> {
    const { cluster, membership } = this.#parts;
    const { signal } = this.#stop;
    if (this.#began) return await membership.join(signal);
    for (const topic of this.#options.topics) await cluster.find(topic, { what: this.#what, signal });
    return await persist(() => membership.join(signal), cluster.patience(signal));
  }

  /** Whom the group does not know any more has only to join again. Anything else ends the start, and is trouble after it. */
  async #failed(error: unknown): Promise<void> {
    const failure = failureOf(error);
    const unknown = failure instanceof NotAMemberError;
    if (!unknown && !this.#began) this.#started.reject(failure);
    if (this.#began && !(unknown && this.#pauses.attempt === 0)) this.#troubles.set('membership', failure);
    await this.#pauses.wait({ signal: this.#stop.signal }).catch(() => {});
  }

  /** From one sharing of the partitions to the next. */
  async #serve(generation: Generation): Promise<void> {
    const { sessionTimeout } = this.#options;
    const tenure = new Tenure(this.#parts.membership, generation, sessionTimeout, {
      confirmed: (at) => {
        if (!this.#revoking) this.#events.confirmed(at);
      },
      trouble: (error) => (error ? this.#troubles.set('heartbeat', error) : this.#troubles.clear('heartbeat')),
      gone: (reason) => this.#lose(reason),
    });
    this.#tenure = tenure;
    if (this.#stop.signal.aborted) tenure.end('stop');
    if (!this.#revoking) this.#events.confirmed(generation.confirmed);
    const looking = watchMissing(
      this.#parts.cluster,
      this.#options.topics,
      generation.partitions,
      (topic, missing) =>
        missing ? this.#troubles.set(`topic ${topic}`, missing) : this.#troubles.clear(`topic ${topic}`),
      { what: this.#what, signal: tenure.signal },
    );
    try {
      // Partitions of which a position is not there any more are begun anew with all the others: with what is committed by then.
      let ids: Positions['ids'] | undefined;
      for (let again = true; again; ) {
        const found = await this.#positions(generation, tenure, ids);
        ids = found?.ids;
        again = found !== undefined && (await this.#hold(generation, tenure, found)) === 'astray';
        await this.#handOver(tenure);
      }
    } finally {
      this.#held = undefined;
      await tenure.close();
      await looking;
    }
  }

  /** Where to begin; undefined when the tenure ends before that is known. */
  async #positions(
    generation: Generation,
    tenure: Tenure,
    ids: Positions['ids'] | undefined,
  ): Promise<Positions | undefined> {
    const { group } = this.#options;
    const { cluster, membership } = this.#parts;
    const { signal } = tenure;
    const pauses = backoff({ min: 40, max: 2_000 });
    const { requestTimeout } = cluster.settings;
    const began = performance.now();
    const find = async (): Promise<Positions> => {
      const lenient = performance.now() - began > Math.min(leaderTakes, requestTimeout / 2);
      const asking = { what: this.#what, signal, lenient };
      const found = await positions(cluster, group, generation.partitions, this.#options, asking, ids);
      const offsets = found.fresh;
      if (offsets.length > 0) await commitOnce({ cluster, membership, group, generation, offsets }, signal);
      return found;
    };
    while (!signal.aborted) {
      try {
        const found = await find();
        this.#troubles.clear('positions');
        return found;
      } catch (error) {
        if (signal.aborted) break;
        const passing = error instanceof Again || error instanceof NotAMemberError;
        if (!this.#began && (!passing || performance.now() - began > requestTimeout)) throw error;
        if (this.#began) this.#troubles.set('positions', failureOf(error));
        await pauses.wait({ signal }).catch(() => {});
      }
    }
    return undefined;
  }

  /** Reads the partitions until they are not ours any more, or not to be read from here. */
  async #hold(generation: Generation, tenure: Tenure, { assigned, ids }: Positions): Promise<unknown> {
    this.#began = true;
    this.#started.resolve();
    // Whoever waits for the start has the reader in hand by then. And nobody is told of two things at a time.
    await Promise.race([Promise.all([setImmediate(), this.#revoked]), tenure.ended]);
    if (tenure.signal.aborted) return undefined;
    this.#troubles.clear('membership');
    this.#troubles.clear('heartbeat');
    this.#pauses.reset();
    const astray = Promise.withResolvers<'astray'>();
    const fetching = new Fetching(this.#parts.cluster, this.#parts.fetches, {
      records: (partition, records, where) => this.#events.records(partition, records, where),
      astray: () => astray.resolve('astray'),
      trouble: (error) => (error ? this.#troubles.set('reading', error) : this.#troubles.clear('reading')),
    });
    this.#fetching = fetching;
    this.#held = generation;
    this.#ids = ids;
    this.#events.assigned(assigned, { member: generation.member, generation: generation.id, topics: ids });
    for (const { offset, topic, partition } of assigned) fetching.add({ topic, partition }, offset, ids.get(topic));
    const ending = await Promise.race([astray.promise, tenure.ended]);
    fetching.stop();
    this.#troubles.clear('reading');
    return ending;
  }

  /** Commits are taken until it is over. */
  async #handOver(tenure: Tenure): Promise<void> {
    if (!this.#held) return;
    if (tenure.gone) {
      this.#lose(tenure.gone);
      return;
    }
    if (this.#held.partitions.length > 0) {
      this.#revoked = this.#revoke();
      const over = new AbortController();
      const late = sleep(this.#options.handOver, { signal: over.signal }).catch(() => {});
      await Promise.race([this.#revoked, late]);
      over.abort();
    }
    this.#held = undefined;
  }

  async #revoke(): Promise<void> {
    this.#revoking = true;
    try {
      await this.#events.revoked();
    } catch {
      // It is over, however it went.
    }
    this.#revoking = false;
  }

  /** The group does not count us any more: also while we hand over. Before `assigned` there is nothing to lose. */
  #lose(reason: QuorateError): void {
    if (!this.#held) return;
    this.#held = undefined;
    this.#fetching?.stop();
    this.#events.lost(reason);
  }

  get #what(): string {
    return `read "${this.#options.topics.join('", "')}"`;
  }
}

function failureOf(error: unknown): QuorateError {
  if (error instanceof Again) return error.failure;
  return isQuorateError(error) ? error : new AmbiguousError('read as a member of a group', { cause: error });
}
