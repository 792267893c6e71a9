import { backoff, isQuorateError, type QuorateError } from '@quorate/core';
import type { Driver } from '../driver/driver.ts';
import type { Assigned, GroupReader } from '../driver/group-reader.ts';
import type { TopicPartition } from '../driver/record.ts';
import type { GroupIdentity, Transactor } from '../driver/transactor.ts';
import { type Assignment, nameOf } from './assignment.ts';
import type { Commits } from './commits.ts';
import { transactionalIdOf } from './derived-name.ts';
import type { Entry } from './entry.ts';
import type { Guard, IsOurs } from './guard.ts';
import type { PartitionWork } from './partition-work.ts';
import { portionsOf } from './portions.ts';
import { isOfWhatIsSent, Search } from './search.ts';

/** How long a predecessor's transaction may stay open when nobody takes over from it. */
const transactionTimeout = 30_000;

/** So many bytes go to a partition at a time, which is less than Kafka takes by default. Where a topic takes less, it is found out. */
const portionBytes = 512 * 1_024;

const never: AbortSignal = new AbortController().signal;

/** Gives a message up because Kafka does not take what came of it: something else comes of it from then on. Rejects when it cannot be given up. */
export type Condemn = (
  partition: TopicPartition,
  entry: Entry,
  error: QuorateError,
  signal: AbortSignal,
) => Promise<void>;

/** What goes in one transaction: what came of all messages before `position`. */
interface Round {
  readonly position: bigint;
  readonly sources: readonly Entry[];
  readonly bytes: number;
}

interface Place {
  transactor: Transactor;
  /** What stands before it a predecessor has done: the group is not to go back there. */
  readonly done: bigint | undefined;
  /** Where the group is, as far as we know: nobody else moves it while the partition is ours. */
  committed: bigint | undefined;
  /** Its last outcome is not known. */
  isUnsure: boolean;
  /** When the transactor was refused, by `performance.now()`: somebody has taken the partition over, or the coordinator has ended a transaction by itself. */
  refusedAt: number | undefined;
  round: Round | undefined;
  /** So many bytes go to a partition at a time. */
  portion: number;
  /** Why the last one could not be committed. */
  trouble: QuorateError | undefined;
  /** It is another member's, whatever we were told: nothing more is committed here. */
  isOver: boolean;
  /** To which time of the partition it belongs. */
  readonly of: AbortSignal;
}

/**
 * Progress by transactions: what handlers have published, and how far the group is, become visible together. Each partition has a transactional id of its own; whoever has the partition takes it over,
 * so that a predecessor who is late can commit nothing any more. And one that takes it back too late cannot either: the group takes offsets from its members only, and of their last sharing.
 */
export class Transactions implements Guard, Commits {
  readonly #driver: Driver;
  readonly #group: string;
  readonly #condemn: Condemn | undefined;
  readonly #places = new Map<string, Place>();

  /** `condemn`: without it, what Kafka does not take holds its partition. */
  constructor(driver: Driver, group: string, condemn?: Condemn) {
    this.#driver = driver;
    this.#group = group;
    this.#condemn = condemn;
  }

  /** Gives where the group is, once nobody else can move it. */
  async open({ offset, topic, partition: number }: Assigned, signal: AbortSignal): Promise<bigint | undefined> {
    const partition = { topic, partition: number };
    const delays = backoff({ min: 100, max: 5_000 });
    while (!signal.aborted) {
      let transactor: Transactor | undefined;
      try {
        transactor = await this.#takeOver(partition, signal);
        const committed = await this.#committed(partition, signal);
        // What was committed for a log that is no more says nothing of the one that there is.
        const stale = (committed ?? 0n) > offset && (committed ?? 0n) > (await this.#end(partition, signal));
        const done = stale ? undefined : committed;
        signal.throwIfAborted();
        this.#places.set(nameOf(partition), {
          transactor,
          done,
          committed,
          isUnsure: false,
          refusedAt: undefined,
          round: undefined,
          portion: portionBytes,
          trouble: undefined,
          isOver: false,
          of: signal,
        });
        return done;
      } catch {
        await transactor?.close();
        await delays.wait({ signal }).catch(() => {});
      }
    }
    return undefined;
  }

  get trouble(): string | undefined {
    for (const { trouble } of this.#places.values())
      if (trouble) return `progress cannot be committed: ${trouble.message}`;
    return undefined;
  }

  close(partition: TopicPartition, signal: AbortSignal): void {
    const place = this.#places.get(nameOf(partition));
    if (place?.of !== signal) return;
    void place.transactor.close();
    this.#places.delete(nameOf(partition));
  }

  async commit(assignment: Assignment, reader: GroupReader | undefined, isOurs: IsOurs): Promise<void> {
    const commits = [...assignment.works.values()].map((work) => this.#commit(work, assignment, isOurs));
    const strayed = (await Promise.all(commits)).includes('strayed');
    if (strayed && !assignment.isClosed) reader?.rejoin();
  }

  /** `strayed`: the group is somewhere else than we have left it. */
  async #commit(work: PartitionWork, assignment: Assignment, isOurs: IsOurs): Promise<'strayed' | undefined> {
    const place = this.#places.get(nameOf(work.partition));
    if (place?.of !== assignment.closing || place.isOver) return undefined;
    place.round ??= work.takeRound();
    const { round } = place;
    if (!round) return undefined;
    try {
      const written = await this.#write(work.partition, place, round, assignment.as, isOurs);
      if (written === 'strayed') {
        this.#giveUp(place);
        return written;
      }
      if (written) {
        place.round = undefined;
        place.trouble = undefined;
        work.bytes -= round.bytes;
        assignment.markCommitted([{ ...work.partition, offset: round.position }]);
        assignment.relieve(work);
      }
    } catch (error) {
      if (isQuorateError(error, 'fenced-producer')) place.refusedAt = performance.now();
      else if (isQuorateError(error, 'not-a-member')) this.#giveUp(place);
      else if (isQuorateError(error)) place.trouble = error;
    }
    return undefined;
  }

  /** What was not committed is done again by whoever has the partition next. */
  #giveUp(place: Place): void {
    place.isOver = true;
    void place.transactor.close();
  }

  /** Whether it is committed; false when it has to be tried again. */
  async #write(
    partition: TopicPartition,
    place: Place,
    { position, sources }: Round,
    as: GroupIdentity | undefined,
    isOurs: IsOurs,
  ): Promise<boolean | 'strayed'> {
    if (position <= (place.done ?? -1n)) return true;
    if (place.isUnsure) {
      if (!(await this.#decide(partition, place, isOurs))) return false;
      // The last one may have been committed. That does not change any more.
      const committed = await this.#committed(partition, never);
      place.isUnsure = false;
      if (committed !== place.committed && committed !== position) return 'strayed';
      place.committed = committed;
      if (committed === position) return true;
    }
    const { transactor } = place;
    const outputs = sources.flatMap((entry) => entry.outputs);
    const portions = portionsOf(outputs, place.portion);
    try {
      await transactor.begin();
      for (const portion of portions) await transactor.append(portion);
      await transactor.sendOffsets(this.#group, [{ ...partition, offset: position }], as);
      await transactor.commit();
      place.committed = position;
      return true;
    } catch (error) {
      place.isUnsure = true;
      if (!isOfWhatIsSent(error)) throw error;
      if (await this.#giveUpRefused(partition, place, sources)) return false;
      const mayBeSmaller = portions.flat().some(({ records }) => records.length > 1);
      if (!mayBeSmaller || !isQuorateError(error, 'message-too-large')) throw error;
      place.portion = Math.floor(place.portion / 2);
      return false;
    }
  }

  /** Whether there was any message to give up. */
  async #giveUpRefused(partition: TopicPartition, place: Place, sources: readonly Entry[]): Promise<boolean> {
    const { transactor, of, portion } = place;
    const condemn = this.#condemn;
    // Whoever has the partition next finds out again.
    if (!condemn || of.aborted) return false;
    await transactor.renew();
    const search = new Search(transactor, this.#driver.admin, portion);
    const refused = await search.among(sources);
    for (const [entry, error] of refused) await condemn(partition, entry, error, of);
    return refused.size > 0;
  }

  /** Whether what was begun is decided, and we can go on. */
  async #decide(partition: TopicPartition, place: Place, isOurs: IsOurs): Promise<boolean> {
    const { refusedAt } = place;
    if (refusedAt === undefined) {
      await place.transactor.renew();
      return true;
    }
    // Whoever has lost the partition must not take the id from its successor. There is none if the group has counted us as a member since.
    if (place.of.aborted || !isOurs(refusedAt)) return false;
    await place.transactor.close();
    place.transactor = await this.#takeOver(partition, place.of);
    place.refusedAt = undefined;
    // It may have taken long. Whose partition it is by now, the group says when it is to take the offset.
    if (!place.of.aborted) return isOurs(refusedAt);
    await place.transactor.close();
    return false;
  }

  #takeOver(partition: TopicPartition, signal: AbortSignal): Promise<Transactor> {
    const id = transactionalIdOf(this.#group, partition);
    return this.#driver.transactor(id, { timeout: transactionTimeout, signal });
  }

  async #end({ topic, partition }: TopicPartition, signal: AbortSignal): Promise<bigint> {
    return (await this.#driver.admin.offsets(topic, 'latest', signal)).get(partition) ?? 0n;
  }

  async #committed({ topic, partition }: TopicPartition, signal: AbortSignal): Promise<bigint | undefined> {
    const offsets = await this.#driver.admin.committed(this.#group, [topic], signal);
    return offsets.find((one) => one.partition === partition)?.offset;
  }
}
