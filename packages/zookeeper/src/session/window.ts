import type { Liveness } from './liveness.ts';

const most = 1_000;
const least = 4;
/** A connection is taken for slow until it shows that it is not. */
const first = 32;

/** So long, in parts of the session timeout, an answer may take before fewer requests are sent at once. */
const patience = 1 / 8;

/**
 * How many requests may be under way. Answers come in order, so whoever sends much waits behind it all: pings as well,
 * and only the answer to a late request proves that the servers know of us now. So no more is under way than is answered
 * in a fraction of the session timeout, whatever the size of the answers and the speed of the network.
 */
export class Window {
  readonly #liveness: Liveness;
  #size = first;
  #shrunkAt = 0;

  constructor(liveness: Liveness) {
    this.#liveness = liveness;
  }

  /** Another connection may be a slow one. */
  reset(): void {
    this.#size = first;
  }

  /** Whether one more may be sent, with so many under way and the oldest of them sent at `oldest`. */
  hasRoom(underWay: number, oldest: number | undefined): boolean {
    if (underWay < least || oldest === undefined) return true;
    return underWay < this.#size && performance.now() - oldest < this.#longest;
  }

  /** A request that was sent at `sentAt` has been answered at `now`. */
  answered(sentAt: number, now: number): void {
    const took = now - sentAt;
    if (took < this.#longest / 2) this.#size = Math.min(most, this.#size + 1);
    // Once for all that were sent in the same state of things.
    else if (took > this.#longest && sentAt >= this.#shrunkAt) {
      this.#size = Math.max(least, Math.floor(this.#size / 2));
      this.#shrunkAt = now;
    }
  }

  get #longest(): number {
    return this.#liveness.timeout * patience;
  }
}
