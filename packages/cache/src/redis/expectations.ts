/** An answer that is waited for. */
export class Expectation {
  readonly since: number = performance.now();
  #overdue: (() => void) | undefined;

  constructor(overdue: () => void) {
    this.#overdue = overdue;
  }

  get ended(): boolean {
    return this.#overdue === undefined;
  }

  /** It has come. What was waiting is let go of: this may stay in the queue for a while. */
  end(): void {
    this.#overdue = undefined;
  }

  fail(): void {
    const overdue = this.#overdue;
    this.#overdue = undefined;
    overdue?.();
  }
}

/** When so many have ended at the front of the queue, it is cut off. */
const cut = 1_024;

/** Answers that must come in time. There is one timer for all of them: one for each would cost more than the request. */
export class Expectations {
  readonly #timeout: number;
  #queue: Expectation[] = [];
  /** The first in the queue that may not have ended. */
  #first = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  expect(overdue: () => void): Expectation {
    const expectation = new Expectation(overdue);
    this.#queue.push(expectation);
    this.#timer ??= setTimeout(this.#look, this.#timeout).unref();
    if (this.#first >= cut) this.#cut();
    while (this.#queue[this.#first]?.ended) this.#first += 1;
    return expectation;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const expectation of this.#queue.splice(0)) expectation.fail();
    this.#first = 0;
  }

  #cut(): void {
    this.#queue = this.#queue.slice(this.#first);
    this.#first = 0;
  }

  // When this process has stood still, answers lie in its sockets: they are read before the timer's word counts.
  readonly #look = (): void => {
    setImmediate(() => {
      this.#timer = undefined;
      const late = performance.now() - this.#timeout;
      let next = this.#queue[this.#first];
      for (; next !== undefined && (next.ended || next.since <= late); next = this.#queue[this.#first]) {
        this.#first += 1;
        next.fail();
      }
      this.#cut();
      if (next !== undefined) this.#timer = setTimeout(this.#look, next.since - late).unref();
    });
  };
}
