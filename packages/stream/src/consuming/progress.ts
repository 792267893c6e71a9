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
export class Progress {
  #position: bigint;
  #steps: Step[] = [];
  #outputs: Output[] = [];
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
  begin(step: Step): void {
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

  /** What came of all before `position`, in the order of the partition; each is given once. */
  takeOutputs(): readonly Output[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  #advance(): void {
    for (; this.#first < this.#steps.length; this.#first += 1) {
      const { next, done, outputs } = this.#steps[this.#first] as Step;
      if (!done) break;
      if (outputs.length > 0) this.#outputs.push(...outputs);
      if (next > this.#position) this.#position = next;
    }
    // Moves them together now and then: each time would cost as much as there are.
    if (this.#first > 512 || this.#first === this.#steps.length) {
      this.#steps = this.#steps.slice(this.#first);
      this.#first = 0;
    }
  }
}
