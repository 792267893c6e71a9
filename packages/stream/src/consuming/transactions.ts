import { backoff, isQuorateError } from '@quorate/core';
import type { Driver } from '../driver/driver.ts';
import type { RecordBatch, TopicPartition } from '../driver/record.ts';
import type { Transactor } from '../driver/transactor.ts';
import type { Output } from '../topic/prepared.ts';
import { type Assignment, nameOf } from './assignment.ts';
import type { Commits } from './commits.ts';
import { transactionalIdOf } from './derived-name.ts';
import type { Guard } from './guard.ts';
import type { PartitionWork } from './partition-work.ts';

/** How long a predecessor's transaction may stay open when nobody takes over from it. */
const transactionTimeout = 30_000;

const never: AbortSignal = new AbortController().signal;

/** What goes in one transaction: what came of all messages before `position`. */
interface Round {
  readonly position: bigint;
  readonly outputs: readonly Output[];
  readonly bytes: number;
}

interface Place {
  transactor: Transactor;
  /** Its last outcome is not known. */
  isUnsure: boolean;
  /** When the transactor was refused, by `performance.now()`: somebody has taken the partition over, or the coordinator has ended a transaction by itself. */
  refusedAt: number | undefined;
  round: Round | undefined;
  /** To which time of the partition it belongs. */
  readonly of: AbortSignal;
}

/**
 * Progress by transactions: what handlers have published, and how far the group is, become visible together. Each partition has a transactional id of its own; whoever has the partition takes it over,
 * so that a predecessor who is late can commit nothing any more.
 */
export class Transactions implements Guard, Commits {
  readonly #driver: Driver;
  readonly #group: string;
  readonly #places = new Map<string, Place>();

  constructor(driver: Driver, group: string) {
    this.#driver = driver;
    this.#group = group;
  }

  /** Gives where the group is, once nobody else can move it. */
  async open(partition: TopicPartition, signal: AbortSignal): Promise<bigint | undefined> {
    const delays = backoff({ min: 100, max: 5_000 });
    while (!signal.aborted) {
      let transactor: Transactor | undefined;
      try {
        transactor = await this.#takeOver(partition, signal);
        const committed = await this.#committed(partition, signal);
        if (signal.aborted) break;
        this.#places.set(nameOf(partition), {
          transactor,
          isUnsure: false,
          refusedAt: undefined,
          round: undefined,
          of: signal,
        });
        return committed;
      } catch {
        await transactor?.close();
        await delays.wait({ signal }).catch(() => {});
      }
    }
    return undefined;
  }

  close(partition: TopicPartition, signal: AbortSignal): void {
    const place = this.#places.get(nameOf(partition));
    if (place?.of !== signal) return;
    void place.transactor.close();
    this.#places.delete(nameOf(partition));
  }

  async commit(assignment: Assignment, _: unknown, isOurs: (since: number) => boolean): Promise<void> {
    await Promise.all([...assignment.works.values()].map((work) => this.#commit(work, assignment, isOurs)));
  }

  async #commit(work: PartitionWork, assignment: Assignment, isOurs: (since: number) => boolean): Promise<void> {
    const place = this.#places.get(nameOf(work.partition));
    if (place?.of !== assignment.closing) return;
    place.round ??= work.takeRound();
    const { round } = place;
    if (!round) return;
    try {
      if (await this.#write(work.partition, place, round, isOurs)) {
        place.round = undefined;
        work.bytes -= round.bytes;
        assignment.markCommitted([{ ...work.partition, offset: round.position }]);
        assignment.relieve(work);
      }
    } catch (error) {
      if (isQuorateError(error, 'fenced-producer')) place.refusedAt = performance.now();
    }
  }

  /** Whether it is committed; false when it has to be tried again. */
  async #write(
    partition: TopicPartition,
    place: Place,
    { position, outputs }: Round,
    isOurs: (since: number) => boolean,
  ): Promise<boolean> {
    if (place.isUnsure) {
      if (!(await this.#decide(partition, place, isOurs))) return false;
      // The last one may have been committed. That does not change any more.
      const committed = await this.#committed(partition, never);
      place.isUnsure = false;
      if ((committed ?? -1n) >= position) return true;
    }
    const { transactor } = place;
    try {
      await transactor.begin();
      if (outputs.length > 0) await transactor.append(batchesOf(outputs));
      await transactor.sendOffsets(this.#group, [{ ...partition, offset: position }]);
      await transactor.commit();
      return true;
    } catch (error) {
      place.isUnsure = true;
      if (isQuorateError(error, 'fenced-producer')) throw error;
      return false;
    }
  }

  /** Whether what was begun is decided, and we can go on. */
  async #decide(partition: TopicPartition, place: Place, isOurs: (since: number) => boolean): Promise<boolean> {
    const { refusedAt } = place;
    if (refusedAt === undefined) {
      await place.transactor.renew();
      return true;
    }
    // Whoever has lost the partition must not take the id from its successor. There is none if the group has counted us as a member since.
    if (place.of.aborted || !isOurs(refusedAt)) return false;
    await place.transactor.close();
    place.transactor = await this.#takeOver(partition, never);
    place.refusedAt = undefined;
    return true;
  }

  #takeOver(partition: TopicPartition, signal: AbortSignal): Promise<Transactor> {
    const id = transactionalIdOf(this.#group, partition);
    return this.#driver.transactor(id, { timeout: transactionTimeout, signal });
  }

  async #committed({ topic, partition }: TopicPartition, signal: AbortSignal): Promise<bigint | undefined> {
    const offsets = await this.#driver.admin.committed(this.#group, [topic], signal);
    return offsets.find((one) => one.partition === partition)?.offset;
  }
}

function batchesOf(outputs: readonly Output[]): RecordBatch[] {
  const batches = new Map<string, { topic: string; partition: number; records: Output['record'][] }>();
  for (const { topic, partition, record } of outputs) {
    const name = nameOf({ topic, partition });
    const batch = batches.get(name) ?? { topic, partition, records: [] };
    batches.set(name, batch);
    batch.records.push(record);
  }
  return [...batches.values()];
}
