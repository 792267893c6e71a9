import { startTimer, type Timer } from '@quorate/core';
import type { Assigned } from '../driver/group-reader.ts';
import { type ReadRecord, sizeOf, type TopicPartition } from '../driver/record.ts';
import { publishedAt } from '../topic/headers.ts';
import { Entry, type Outcome } from './entry.ts';
import type { Hands } from './hands.ts';
import { Lane } from './lane.ts';
import { Progress } from './progress.ts';

/** The work on one partition, from when it is ours until it is not. */
export class PartitionWork {
  readonly partition: TopicPartition;
  readonly progress: Progress<Entry>;
  /** Resolves when it is closed and nothing of this partition is worked on any more, by a predecessor neither. */
  readonly ended: Promise<void>;
  /** Where the partition ends, as far as the reader knows. */
  end: bigint;
  /** What has arrived and is not done with. */
  messages = 0;
  bytes = 0;
  readonly #hands: Hands<Lane<PartitionWork>>;
  readonly #lanes = new Map<string | bigint, Lane<PartitionWork>>();
  readonly #delays = new Set<Timer>();
  #running = 0;
  /** What arrived while a predecessor still ran; undefined when none does. */
  #held: Lane<PartitionWork>[] | undefined;
  /** What stands before it the group has done: a predecessor had not committed it yet when the partition was assigned. */
  #floor = 0n;
  #round: bigint;
  #closed = false;
  #ended = Promise.withResolvers<void>();

  /**
   * Begins when both have resolved: `before`, the end of what this process still does for the same partition, from before the last rebalance; and
   * `ready`, when all that is needed is there.
   */
  constructor(
    assigned: Assigned,
    hands: Hands<Lane<PartitionWork>>,
    {
      before,
      ready,
    }: { readonly before?: Promise<void> | undefined; readonly ready?: Promise<bigint | undefined> | undefined } = {},
  ) {
    const { topic, partition, offset } = assigned;
    this.partition = { topic, partition };
    this.progress = new Progress(offset);
    this.end = offset;
    this.#round = offset;
    this.#hands = hands;
    this.ended = this.#ended.promise.then(() => before);
    if (before || ready) void this.#holdUntil(before, ready);
  }

  /** When the message that waits longest was published; undefined when none waits. */
  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const { head } of this.#lanes.values()) {
      const at = head && publishedAt(head.record);
      if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at;
    }
    return oldest;
  }

  take(records: readonly ReadRecord[], next: bigint, end: bigint): void {
    if (this.#closed) return;
    this.end = end;
    let after = 0n;
    const fresh: Lane<PartitionWork>[] = [];
    for (const record of records) {
      const { key } = record;
      const entry = new Entry(record, sizeOf(record));
      this.progress.begin(entry);
      after = entry.next;
      this.messages += 1;
      this.bytes += entry.size;
      // Without a key there is no order to keep.
      const name = key === null ? record.offset : key.toString('latin1');
      const lane = this.#lanes.get(name);
      if (lane) lane.push(entry);
      else {
        const made = new Lane(name, this, entry);
        this.#lanes.set(name, made);
        fresh.push(made);
      }
    }
    if (next > after) this.progress.skipTo(next);
    if (this.#held) this.#held.push(...fresh);
    else for (const lane of fresh) this.#hands.add(lane);
  }

  /** The next message of a lane that got a hand; undefined when there is nothing to do any more. */
  begin(lane: Lane<PartitionWork>): Entry | undefined {
    const { head } = lane;
    if (this.#closed || !head) return undefined;
    if (head.record.offset < this.#floor) {
      this.#done(lane, head);
      return undefined;
    }
    this.#running += 1;
    return head;
  }

  /** The messages since the last one that was taken of which something came; undefined when there is nothing new. */
  takeRound(): { readonly position: bigint; readonly sources: readonly Entry[]; readonly bytes: number } | undefined {
    const { position } = this.progress;
    if (position <= this.#round) return undefined;
    this.#round = position;
    const sources = this.progress.takeSources();
    return { position, sources, bytes: sources.reduce((sum, entry) => sum + heldBy(entry), 0) };
  }

  settle(lane: Lane<PartitionWork>, entry: Entry, outcome: Outcome): void {
    this.#running -= 1;
    if (outcome === 'done') this.#done(lane, entry);
    else if (!this.#closed) {
      if (outcome === 'given-back') this.#hands.add(lane);
      else this.#later(lane, outcome.retryIn);
    }
    if (this.#closed && this.#running === 0) this.#ended.resolve();
  }

  /** Nothing more begins. What is worked on may end, and counts. */
  close(): void {
    this.#closed = true;
    for (const delay of this.#delays) delay.clear();
    this.#delays.clear();
    if (this.#running === 0) this.#ended.resolve();
  }

  async #holdUntil(before: Promise<void> | undefined, ready: Promise<bigint | undefined> | undefined): Promise<void> {
    this.#held = [];
    await before;
    this.#floor = (await ready) ?? 0n;
    const held = this.#held;
    this.#held = undefined;
    for (const lane of held) this.#hands.add(lane);
  }

  #done(lane: Lane<PartitionWork>, entry: Entry): void {
    this.progress.finish(entry);
    this.messages -= 1;
    this.bytes += heldBy(entry) - entry.size;
    lane.shift();
    if (lane.head) this.#hands.add(lane);
    else this.#lanes.delete(lane.name);
  }

  #later(lane: Lane<PartitionWork>, delay: number): void {
    const over = (): void => {
      this.#delays.delete(timer);
      this.#hands.add(lane);
    };
    const timer = startTimer(delay, over, { background: false });
    this.#delays.add(timer);
  }
}

/** In bytes, from when a message is done with until what came of it is committed: it may be a dead letter yet. */
function heldBy({ size, outputs }: Entry): number {
  return outputs.reduce((sum, { record }) => sum + sizeOf(record), outputs.length > 0 ? size : 0);
}
