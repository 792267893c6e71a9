import type { Entry } from './entry.ts';

/** The messages of one key, which are worked on one after the other. `Work` is what they are part of. */
export class Lane<Work> {
  readonly name: string | bigint;
  readonly work: Work;
  #head: Entry | undefined;
  /** Those behind the head. Most lanes have none. */
  #others: Entry[] | undefined;
  #first = 0;

  constructor(name: string | bigint, work: Work, entry: Entry) {
    this.name = name;
    this.work = work;
    this.#head = entry;
  }

  get head(): Entry | undefined {
    return this.#head;
  }

  push(entry: Entry): void {
    this.#others ??= [];
    this.#others.push(entry);
  }

  shift(): void {
    const others = this.#others;
    this.#head = others?.[this.#first];
    if (!others || !this.#head) return;
    this.#first += 1;
    if (this.#first < 256) return;
    this.#others = others.slice(this.#first);
    this.#first = 0;
  }
}
