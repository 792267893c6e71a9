import type { RecordBatch } from '../driver/record.ts';
import type { Pending } from './pending.ts';

/** What waits to be appended to one partition. At most one batch of it is on its way, which is what keeps the order. */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  #batchBytes: number;
  #waiting: Pending[] = [];
  #first = 0;
  #sent: readonly Pending[] = [];
  /** How many messages the next batches have at most, the next one last; those after them have as many as there are. */
  #counts: number[] = [];

  constructor(topic: string, partition: number, batchBytes: number) {
    this.topic = topic;
    this.partition = partition;
    this.#batchBytes = batchBytes;
  }

  get isEmpty(): boolean {
    return this.#first === this.#waiting.length;
  }

  /** How many messages are on their way. */
  get sent(): number {
    return this.#sent.length;
  }

  push(pending: Pending): void {
    this.#waiting.push(pending);
  }

  /** The next batch, which is on its way from now on; undefined when nothing is left of what waited. `gone` gets those that nobody waits for. */
  take(gone: (pending: Pending) => void): RecordBatch | undefined {
    const batch: Pending[] = [];
    let bytes = 0;
    const most = this.#counts.pop() ?? Infinity;
    for (; this.#first < this.#waiting.length; this.#first += 1) {
      const pending = this.#waiting[this.#first] as Pending;
      if (batch.length === most || (batch.length > 0 && bytes + pending.size > this.#batchBytes)) break;
      if (!pending.send()) {
        gone(pending);
        continue;
      }
      batch.push(pending);
      bytes += pending.size;
    }
    if (this.isEmpty) {
      this.#waiting = [];
      this.#first = 0;
    }
    if (batch.length === 0) return undefined;
    this.#sent = batch;
    return { topic: this.topic, partition: this.partition, records: batch.map(({ record }) => record) };
  }

  /** Those that were on their way, which are no longer. */
  settle(): readonly Pending[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  /** The batch was too large for the topic, though perhaps none of its messages is: they are to go in smaller ones, in the same order. */
  split(): void {
    this.#batchBytes = Math.floor(this.#sent.reduce((sum, { size }) => sum + size, 0) / 2);
    this.#takeBack();
  }

  /** The batch was refused for one of its messages, and nobody knows which: they are to go in halves, in the same order, until that one goes alone. */
  halve(): void {
    const first = Math.ceil(this.sent / 2);
    this.#counts.push(this.sent - first, first);
    this.#takeBack();
  }

  #takeBack(): void {
    const sent = this.settle();
    for (const pending of sent) pending.takeBack();
    this.#waiting = [...sent, ...this.#waiting.slice(this.#first)];
    this.#first = 0;
  }
}
