import type { Assigned } from '../driver/group-reader.ts';
import type { ReadRecord, TopicPartition } from '../driver/record.ts';
import type { GroupIdentity, GroupOffset } from '../driver/transactor.ts';
import type { Guard, IsOurs } from './guard.ts';
import type { Hands } from './hands.ts';
import type { Lane } from './lane.ts';
import { PartitionWork } from './partition-work.ts';

/** How much may have arrived without being done with. */
export interface Buffer {
  /** Of one partition. */
  readonly messages: number;
  /** Of all partitions together: half of it is shared out evenly, the other half is for whoever comes first. So one that stands still leaves room for the others. */
  readonly bytes: number;
}

/** What reads: told when there is enough for now. */
export interface Tap {
  pause(partition: TopicPartition): void;
  resume(partition: TopicPartition): void;
}

export interface AssignmentParts {
  readonly hands: Hands<Lane<PartitionWork>>;
  readonly buffer: Buffer;
  readonly tap: Tap;
  readonly guards: readonly Guard[];
  readonly isOurs: IsOurs;
  /** As whom they are ours. */
  readonly as: GroupIdentity | undefined;
}

/** The partitions that the group has given this member, from one rebalance to the next. */
export class Assignment {
  readonly works: ReadonlyMap<string, PartitionWork>;
  readonly as: GroupIdentity | undefined;
  readonly #buffer: Buffer;
  /** In bytes: what each partition has for itself. */
  readonly #share: number;
  readonly #tap: Tap;
  readonly #guards: readonly Guard[];
  readonly #paused = new Set<PartitionWork>();
  readonly #committed = new Map<PartitionWork, bigint>();
  /** Since when a partition is further than what was committed of it. */
  readonly #behind = new Map<PartitionWork, number>();
  #why: string | undefined;
  #controller = new AbortController();
  readonly #closing = new AbortController();
  readonly #settled = Promise.withResolvers<void>();

  /** `endings`: of what this process still does for a partition, from before. */
  constructor(partitions: readonly Assigned[], parts: AssignmentParts, endings: ReadonlyMap<string, Promise<void>>) {
    const { hands, buffer, tap, guards, isOurs, as } = parts;
    const made = partitions.map((one): [string, PartitionWork] => {
      const name = nameOf(one);
      const ready = guards.length > 0 ? opened(guards, one, this.#closing.signal, isOurs) : undefined;
      return [name, new PartitionWork(one, hands, { before: endings.get(name), ready })];
    });
    this.works = new Map(made);
    for (const work of this.works.values()) this.#committed.set(work, work.progress.position);
    this.as = as;
    this.#buffer = buffer;
    this.#share = buffer.bytes / 2 / made.length;
    this.#tap = tap;
    this.#guards = guards;
  }

  /** For the handlers: aborts when their work is not wanted any more. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Aborts when nothing more begins. By it guards know whose they are. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get buffered(): { readonly messages: number; readonly bytes: number } {
    let messages = 0;
    let bytes = 0;
    for (const work of this.works.values()) {
      messages += work.messages;
      bytes += work.bytes;
    }
    return { messages, bytes };
  }

  take(
    partition: TopicPartition,
    records: readonly ReadRecord[],
    { next, end }: { readonly next: bigint; readonly end: bigint },
  ): void {
    const work = this.works.get(nameOf(partition));
    if (!work || this.isClosed) return;
    work.take(records, next, end);
    this.#pauseIfFull(work);
  }

  /** Says once more what is paused: the tap was not there when it was said. */
  repeatPauses(): void {
    for (const { partition } of this.#paused) this.#tap.pause(partition);
  }

  /** Something of this partition is done with: there may be room for more. */
  relieve(work: PartitionWork): void {
    if (this.#paused.size === 0 || this.isClosed) return;
    if (work.messages > this.#buffer.messages / 2) return;
    const plenty = this.#borrowed <= this.#buffer.bytes / 4;
    for (const paused of this.#paused) {
      if (paused.messages > this.#buffer.messages / 2) continue;
      if (!plenty && paused.bytes > this.#share / 2) continue;
      this.#paused.delete(paused);
      this.#tap.resume(paused.partition);
    }
  }

  /** Positions that were not committed yet. */
  get uncommitted(): GroupOffset[] {
    const offsets: GroupOffset[] = [];
    for (const [work, committed] of this.#committed)
      if (work.progress.position > committed) offsets.push({ ...work.partition, offset: work.progress.position });
    return offsets;
  }

  markCommitted(offsets: readonly GroupOffset[]): void {
    this.#why = undefined;
    for (const offset of offsets) {
      const work = this.works.get(nameOf(offset));
      if (!work) continue;
      this.#committed.set(work, offset.offset);
      this.#behind.delete(work);
    }
  }

  /** Before each attempt to commit: what waits for it waits from now on, if it did not before. */
  noteUncommitted(): void {
    for (const [work, committed] of this.#committed)
      if (work.progress.position > committed && !this.#behind.has(work)) this.#behind.set(work, performance.now());
  }

  noteRefused(error: unknown): void {
    this.#why = error instanceof Error ? error.message : undefined;
  }

  /** What has not been committed for so many milliseconds, although it was tried; undefined when there is nothing. */
  stuckFor(ms: number): string | undefined {
    const since = performance.now() - ms;
    const stuck = [...this.#behind].filter(([, behind]) => behind < since).map(([work]) => nameOf(work.partition));
    if (stuck.length === 0) return undefined;
    const which = stuck.length === 1 ? stuck[0] : `${stuck[0]} and ${stuck.length - 1} others`;
    const again = 'what was done since is done again by whoever has them next';
    return `nothing could be committed of ${which} for ${ms} ms: ${again}${this.#why ? ` (${this.#why})` : ''}`;
  }

  /** What runs is told that it is not wanted; what is left of it is tried again, if the partitions are still ours. */
  interrupt(reason: unknown): void {
    this.#controller.abort(reason);
    if (!this.isClosed) this.#controller = new AbortController();
  }

  /** Nothing more begins. */
  close(): void {
    this.#closing.abort();
    for (const work of this.works.values()) {
      work.close();
      void this.#settled.promise.then(() => {
        for (const guard of this.#guards) guard.close(work.partition, this.#closing.signal);
      });
    }
  }

  /** Resolves when it is closed and nothing of it runs. */
  async ended(): Promise<void> {
    for (const work of this.works.values()) await work.ended;
  }

  /** All that was to be committed has been, or is not going to be: the guards are not needed any more. */
  settle(): void {
    this.#settled.resolve();
  }

  #pauseIfFull(work: PartitionWork): void {
    if (this.#paused.has(work)) return;
    const tooMany = work.messages >= this.#buffer.messages;
    if (!tooMany && (work.bytes < this.#share || this.#borrowed < this.#buffer.bytes / 2)) return;
    this.#paused.add(work);
    this.#tap.pause(work.partition);
  }

  /** In bytes: what partitions have beyond their shares. */
  get #borrowed(): number {
    let sum = 0;
    for (const { bytes } of this.works.values()) sum += Math.max(0, bytes - this.#share);
    return sum;
  }
}

/** When all of them are open: the furthest that one of them knows of. */
async function opened(
  guards: readonly Guard[],
  partition: Assigned,
  signal: AbortSignal,
  isOurs: IsOurs,
): Promise<bigint | undefined> {
  const found = await Promise.all(guards.map((guard) => guard.open(partition, signal, isOurs)));
  return found.reduce((most, one) => (one !== undefined && (most === undefined || one > most) ? one : most), undefined);
}

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic} ${partition}`;
}
