import type { Output } from '../topic/prepared.ts';

/** A message, as far as progress is concerned. */
export interface Step {
  /** Where the group goes on when this and all before it are done. */
  readonly next: bigint;
  done: boolean;
  /** What came of it, and is to be published together with the progress. */
  readonly outputs: readonly Output[];
}

/** How far the work on a partition has come: everything before `position` is done with, whatever was finished out of order. */
export class Progress<Begun extends Step = Step> {
  #position: bigint;
  #steps: Step[] = [];
  #sources: Begun[] = [];
  #first = 0;

  constructor(position: bigint) {
    this.#position = position;
  }

  /** What is committed. */
  get position(): bigint {
    return this.#position;
  }

  /** How many messages were begun and are not behind `position`. */
  get open(): number {
    return this.#steps.length - this.#first;
  }

  /** A message to work on, in the order of the partition. */
  begin(step: Begun): void {
    this.#steps.push(step);
  }

  /** Up to here there is nothing to work on but what has begun. */
  skipTo(next: bigint): void {
    this.#steps.push({ next, done: true, outputs: [] });
    this.#advance();
  }

  finish(step: Step): void {
    step.done = true;
    this.#advance();
  }

  /** Of all before `position`, in the order of the partition, those of which something came; each is given once. */
  takeSources(): readonly Begun[] {
    const sources = this.#sources;
    this.#sources = [];
    return sources;
  }

  #advance(): void {
    for (; this.#first < this.#steps.length; this.#first += 1) {
      const step = this.#steps[this.#first] as Step;
      const { next, done, outputs } = step;
      if (!done) break;
      // Nothing comes of what was skipped.
      if (outputs.length > 0) this.#sources.push(step as Begun);
      if (next > this.#position) this.#position = next;
    }
    // Moves them together now and then: each time would cost as much as there are.
    if (this.#first > 512 || this.#first === this.#steps.length) {
      this.#steps = this.#steps.slice(this.#first);
      this.#first = 0;
    }
  }
}
