/** A server's time, and when by our own clock it was asked for and was there: all in milliseconds. */
export interface Reading {
  readonly sent: number;
  readonly received: number;
  readonly time: number;
}

/** What the clock of the Redis server reads, as far as we know: the wall clock of this machine may jump, this does not. */
export class ServerClock {
  /** What to add to our monotonic clock to have the server's. */
  #offset = Number.NaN;

  /** Whether it was ever read. */
  get known(): boolean {
    return !Number.isNaN(this.#offset);
  }

  /** What it reads when ours reads this. */
  at(local: number): number {
    return local + this.#offset;
  }

  /**
   * It was read at some moment in between. What agrees with that stays: one that took long, because a process stood still,
   * proves little, and its middle would be off by half of that.
   */
  read({ sent, received, time }: Reading): void {
    const [least, most] = [time - received, time - sent];
    if (this.#offset >= least && this.#offset <= most) return;
    this.#offset = (least + most) / 2;
  }
}
