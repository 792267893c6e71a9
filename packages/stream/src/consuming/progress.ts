interface Step {
  /** Where the group goes on when this and all before it are done. */
  readonly next: bigint;
  done: boolean;
}

/** How far the work on a partition has come: everything before `position` is done with, whatever was finished out of order. */
export class Progress {
  #position: bigint;
  #steps: Step[] = [];
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
  begin(offset: bigint): Step {
    const step = { next: offset + 1n, done: false };
    this.#steps.push(step);
    return step;
  }

  /** Up to here there is nothing to work on but what has begun. */
  skipTo(next: bigint): void {
    this.#steps.push({ next, done: true });
    this.#advance();
  }

  finish(step: Step): void {
    step.done = true;
    this.#advance();
  }

  #advance(): void {
    for (; this.#first < this.#steps.length; this.#first += 1) {
      const { next, done } = this.#steps[this.#first] as Step;
      if (!done) break;
      if (next > this.#position) this.#position = next;
    }
    // Moves them together now and then: each time would cost as much as there are.
    if (this.#first > 512 || this.#first === this.#steps.length) {
      this.#steps = this.#steps.slice(this.#first);
      this.#first = 0;
    }
  }
}

export type { Step };
