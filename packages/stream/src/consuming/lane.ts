import type { Entry } from './entry.ts';

/** The messages of one key, which are worked on one after the other. `Work` is what they are part of. */
export class Lane<Work> {
  readonly name: string | bigint;
  readonly work: Work;
  #entries: Entry[];
  #first = 0;

  constructor(name: string | bigint, work: Work, entry: Entry) {
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
