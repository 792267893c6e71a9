import type { Entry } from './entry.ts';
import type { PartitionWork } from './partition-work.ts';

/** The messages of one key, which are worked on one after the other. */
export class Lane {
  readonly name: string | bigint;
  readonly work: PartitionWork;
  #entries: Entry[];
  #first = 0;

  constructor(name: string | bigint, work: PartitionWork, entry: Entry) {
    this.name = name;
    this.work = work;
    this.#entries = [entry];
  }

  get head(): Entry | undefined {
    return this.#entries[this.#first];
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  shift(): void {
    this.#first += 1;
    if (this.#first < 256) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
}
