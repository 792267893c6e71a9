/**
 * Lets no call through for a while after so many failures in a row; then one at a time, until one succeeds. What ends in an
 * error that is no failure decides nothing.
 */
export class Breaker {
  readonly #after: number;
  readonly #pause: number;
  readonly #isFailure: (error: unknown) => boolean;
  #failures = 0;
  /** While it is open: when the next call may be let through, by the monotonic clock. */
  #until = 0;
  #trying = false;
  #lastFailure: unknown;

  constructor(after: number, pause: number, isFailure: (error: unknown) => boolean) {
    this.#after = after;
    this.#pause = pause;
    this.#isFailure = isFailure;
  }

  /** Until a call has succeeded. */
  get open(): boolean {
    return this.#failures >= this.#after;
  }

  get lastFailure(): unknown {
    return this.#lastFailure;
  }

  /** Does `work`, which is told whether it is a trial, or throws `Open`. What is part of a trial is let through with it. */
  async call<T>(work: (trial: boolean) => Promise<T>, ofTrial = false): Promise<T> {
    const next = this.open && !ofTrial;
    if (next && (this.#trying || performance.now() < this.#until)) throw new Open();
    if (next) this.#trying = true;
    const trial = next || ofTrial;
    try {
      const value = await work(trial);
      // One that began before it opened says nothing of now.
      if (trial || !this.open) this.#failures = 0;
      return value;
    } catch (error) {
      if (this.#isFailure(error)) this.#failed(trial, error);
      throw error;
    } finally {
      if (next) this.#trying = false;
    }
  }

  #failed(trial: boolean, error: unknown): void {
    this.#lastFailure = error;
    if (this.open && !trial) return;
    this.#failures += 1;
    if (this.open) this.#until = performance.now() + this.#pause;
  }
}

/** The breaker lets nothing through at the moment. */
export class Open extends Error {}
