import { aborted, deadline, type Health, type QuorateError } from '@quorate/core';
import { shares } from '../diagnostics.ts';
import type { Driver } from '../driver/driver.ts';
import type { Assigned, GroupReader, GroupReaderEvents } from '../driver/group-reader.ts';
import type { TopicPartition } from '../driver/record.ts';
import type { GroupIdentity } from '../driver/transactor.ts';
import { NotAMemberError } from '../errors/not-a-member-error.ts';
import { Assignment, type Tap } from './assignment.ts';
import type { Commits } from './commits.ts';
import type { ConsumeSettings } from './consume-options.ts';
import type { Outcome } from './entry.ts';
import type { Guard, IsOurs } from './guard.ts';
import { Hands } from './hands.ts';
import { type Lag, lagOf } from './lag.ts';
import type { Lane } from './lane.ts';
import type { PartitionWork } from './partition-work.ts';
import { Standing } from './standing.ts';
import type { ConsumerStats } from './stats.ts';
import type { Treatment } from './treatment.ts';

/** What a consumer does with messages. */
export interface ConsumerParts {
  readonly treatment: Treatment;
  /** Counted by the treatment too. */
  readonly stats: ConsumerStats;
  readonly guards: readonly Guard[];
  readonly commits: Commits;
}

/** Handles the messages of a topic as a member of a group, until it is stopped. */
export class Consumer implements AsyncDisposable {
  readonly group: string;
  readonly #topics: readonly string[];
  readonly #settings: ConsumeSettings;
  readonly #treatment: Treatment;
  readonly #stats: ConsumerStats;
  readonly #guards: readonly Guard[];
  readonly #commits: Commits;
  readonly #hands: Hands<Lane<PartitionWork>>;
  readonly #standing: Standing;
  readonly #isOurs: IsOurs = (since) => this.#standing.isCertainSince(since);
  /** Of the work on each partition, until nothing of it runs. */
  readonly #endings = new Map<string, Promise<void>>();
  #reader: GroupReader | undefined;
  #assignment: Assignment;
  #committing: Promise<void> = Promise.resolve();
  #ticker: NodeJS.Timeout | undefined;
  #trouble: QuorateError | undefined;
  readonly #ended = Promise.withResolvers<void>();
  #stopped: Promise<void> | undefined;
  #drained = false;

  /** Resolves when it is a member of the group. */
  static async start(
    driver: Driver,
    topics: readonly string[],
    settings: ConsumeSettings,
    parts: ConsumerParts,
    signal: AbortSignal,
  ): Promise<Consumer> {
    const consumer = new Consumer(topics, settings, parts);
    await consumer.#start(driver, signal);
    return consumer;
  }

  private constructor(
    topics: readonly string[],
    settings: ConsumeSettings,
    { treatment, stats, guards, commits }: ConsumerParts,
  ) {
    this.group = settings.group;
    this.#topics = topics;
    this.#settings = settings;
    this.#treatment = treatment;
    this.#stats = stats;
    this.#guards = guards;
    this.#commits = commits;
    this.#hands = new Hands<Lane<PartitionWork>>(settings.concurrency, (lane) => this.#work(lane));
    this.#standing = new Standing(settings.sessionTimeout, (certain) => this.#standingChanged(certain));
    this.#hands.hold();
    this.#assignment = this.#assign([]);
  }

  /** What health calls it. */
  get name(): string {
    return `${this.#topics.join(', ')} by ${this.group}`;
  }

  /** Resolves when it has stopped. */
  get stopped(): Promise<void> {
    return this.#ended.promise;
  }

  stats(): Readonly<ConsumerStats> {
    return { ...this.#stats };
  }

  lag(): Lag {
    return lagOf(this.#assignment.works.values());
  }

  /** What has arrived and is not done with. */
  get buffered(): { readonly messages: number; readonly bytes: number } {
    return this.#assignment.buffered;
  }

  health(): Health {
    if (this.#stopped) return { status: 'fail', detail: `the consumer of group ${this.group} was stopped` };
    if (this.#trouble) return { status: 'fail', detail: this.#trouble.message };
    const unburied = this.#treatment.trouble;
    if (unburied) return { status: 'warn', detail: `dead letters cannot be written: ${unburied.message}` };
    const unguarded = this.#guards.find(({ trouble }) => trouble !== undefined)?.trouble;
    if (unguarded !== undefined) return { status: 'warn', detail: unguarded };
    if (!this.#standing.isCertain)
      return { status: 'warn', detail: `not known to be a member of group ${this.group} at this moment` };
    const stuck = this.#assignment.stuckFor(this.#settings.sessionTimeout);
    if (stuck) return { status: 'warn', detail: stuck };
    const { messages } = this.lag();
    const held = this.#assignment.works.size;
    return { status: 'pass', detail: `${held} partitions of group ${this.group}, ${messages} messages behind` };
  }

  /** Begins nothing more, lets what is under way finish (at most for `drain`), commits, and leaves the group. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #start(driver: Driver, signal: AbortSignal): Promise<void> {
    const { group, from, sessionTimeout, handOver, commitEvery, transactional } = this.#settings;
    // Who takes a transactional id over decides what was undecided, and looks once more.
    const undecided = transactional ? 'ignore' : 'wait';
    const events: GroupReaderEvents = {
      assigned: (partitions, as) => {
        this.#assignment = this.#assign(partitions, as);
      },
      // Whoever has stopped has waited already.
      revoked: () => this.#handOver(this.#drained ? 0 : handOver),
      lost: (reason) => this.#lose(reason),
      records: (partition, records, where) => this.#assignment.take(partition, records, where),
      confirmed: (at) => this.#standing.confirm(at),
      trouble: (error) => {
        this.#trouble = error;
      },
    };
    this.#reader = await driver.readGroup(
      { group, topics: this.#topics, from, undecided, sessionTimeout, handOver, signal },
      events,
    );
    this.#assignment.repeatPauses();
    this.#ticker = setInterval(() => {
      this.#assignment.noteUncommitted();
      void this.#commit();
    }, commitEvery);
  }

  #assign(partitions: readonly Assigned[], as?: GroupIdentity): Assignment {
    for (const { missed } of partitions) this.#stats.missed += missed;
    const before = this.#assignment as Assignment | undefined;
    if (before) {
      this.#stats.rebalances += 1;
      const missed = partitions.reduce((sum, one) => sum + one.missed, 0n);
      shares.publish({ group: this.group, partitions: partitions.map(placeOf), missed });
    }
    const tap: Tap = {
      pause: (partition) => this.#reader?.pause(partition),
      resume: (partition) => this.#reader?.resume(partition),
    };
    const { buffer } = this.#settings;
    const parts = { hands: this.#hands, buffer, tap, guards: this.#guards, isOurs: this.#isOurs, as };
    const assignment = new Assignment(partitions, parts, this.#endings);
    for (const [name, { ended }] of assignment.works) this.#noteEnding(name, ended);
    if (this.#stopped) assignment.close();
    return assignment;
  }

  /** Whoever has the partition next in this process waits for it. */
  #noteEnding(name: string, ended: Promise<void>): void {
    this.#endings.set(name, ended);
    void ended.then(() => {
      if (this.#endings.get(name) === ended) this.#endings.delete(name);
    });
  }

  /** The first message of a lane, by a free hand. */
  #work(lane: Lane<PartitionWork>): Promise<void> | undefined {
    const assignment = this.#assignment;
    if (!this.#standing.isCertain) {
      // Somebody else may have it already. It stays the first of its lane.
      this.#hands.add(lane);
      return undefined;
    }
    const entry = lane.work.begin(lane);
    if (!entry) return undefined;
    const settle = (outcome: Outcome): void => {
      lane.work.settle(lane, entry, outcome);
      assignment.relieve(lane.work);
    };
    const outcome = this.#treatment.of(lane.work.partition, entry, assignment.signal);
    if (outcome instanceof Promise) return outcome.then(settle);
    settle(outcome);
    return undefined;
  }

  #standingChanged(certain: boolean): void {
    if (certain) {
      this.#hands.resume();
      return;
    }
    this.#hands.hold();
    const why = 'nothing was heard of the coordinator for the session timeout';
    this.#assignment.interrupt(new NotAMemberError(this.group, why));
  }

  /** Lets what is under way finish for a while, then tells it to stop, and commits what was done. Takes `within` at most, and a commit. */
  async #handOver(within: number): Promise<void> {
    const assignment = this.#assignment;
    assignment.close();
    const reason = new NotAMemberError(this.group, 'its partitions go to somebody else');
    // The last part of the time is for those that are told to stop.
    using patience = deadline(0.8 * within);
    using limit = deadline(within);
    const tell = (): void => assignment.interrupt(reason);
    patience.signal.addEventListener('abort', tell, { once: true });
    await Promise.race([assignment.ended(), aborted(limit.signal)]);
    await this.#commit();
    assignment.settle();
  }

  #lose(reason: QuorateError): void {
    shares.publish({ group: this.group, partitions: [], missed: 0n, lost: reason.message });
    this.#assignment.close();
    this.#assignment.interrupt(reason);
    this.#assignment.settle();
  }

  /** One at a time: a later one must not be overtaken by an earlier. */
  #commit(): Promise<void> {
    this.#committing = this.#committing.then(() => this.#commits.commit(this.#assignment, this.#reader, this.#isOurs));
    return this.#committing;
  }

  async #stop(): Promise<void> {
    clearInterval(this.#ticker);
    await this.#handOver(this.#settings.drain);
    this.#drained = true;
    this.#standing.stop();
    await this.#reader?.stop();
    this.#ended.resolve();
  }
}

function placeOf({ topic, partition }: Assigned): TopicPartition {
  return { topic, partition };
}
