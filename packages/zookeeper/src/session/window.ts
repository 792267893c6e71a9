import { op } from '../protocol/op-codes.ts';
import type { Liveness } from './liveness.ts';

/** The answers to these may be of any size. */
const ofAnySize: ReadonlySet<number> = new Set([op.get, op.children, op.childNames, op.multiRead, op.ephemerals]);
/** The answers to all others are about as large as this, in bytes. */
const short = 128;
/** An answer of any size is never taken for a smaller one than that: the next may be larger than all before. */
const least = 16_384;

/** A connection is taken for slow until it shows that it is not; and the first answer of any size for half of this. */
const first = 65_536;
const most = 2 * 1024 * 1024;
const mostRequests = 1_000;

/** So long, in parts of the session timeout, an answer may wait for others before fewer requests are sent at once. */
const patience = 1 / 8;

/**
 * How much may be under way. Answers come in order, so whoever sends much waits behind it all: pings as well, and only the
 * answer to a late request proves that the servers know of us now. So no more is under way than is answered in a fraction of
 * the session timeout. That is counted in bytes, there and back; how large an answer will be is judged by those before it.
 */
export class Window {
  readonly #liveness: Liveness;
  #bytes = first;
  /** Of the requests under way, and of the answers to them that are short. */
  #known = 0;
  #requests = 0;
  /** How many answers of any size are to come, and how large they are taken to be. */
  #open = 0;
  #size = first / 2;
  #hasSeenSizes = false;
  /** The shortest time that an answer has taken: nothing was in its way. */
  #fastest = Number.POSITIVE_INFINITY;
  #shrunkAt = 0;

  constructor(liveness: Liveness) {
    this.#liveness = liveness;
  }

  /** Nothing is under way. Another connection may be a slow one. */
  reset(): void {
    this.#bytes = first;
    this.#known = 0;
    this.#requests = 0;
    this.#open = 0;
    this.#fastest = Number.POSITIVE_INFINITY;
  }

  /** Whether one more may be sent, when the oldest of those under way was sent at `oldest`. */
  hasRoom(oldest: number | undefined): boolean {
    if (oldest === undefined) return true;
    if (this.#requests >= mostRequests || this.#underWay >= this.#bytes) return false;
    const fastest = Number.isFinite(this.#fastest) ? this.#fastest : 0;
    return performance.now() - oldest < fastest + this.#longest;
  }

  sent(code: number, bytes: number): void {
    this.#requests += 1;
    this.#known += bytes + short;
    if (ofAnySize.has(code)) this.#open += 1;
  }

  /** A request of so many bytes that was sent at `sentAt` has been answered at `now` with so many. */
  answered(code: number, bytes: number, answer: number, sentAt: number, now: number): void {
    const underWay = this.#underWay;
    this.#requests -= 1;
    this.#known -= bytes + short;
    if (ofAnySize.has(code)) {
      this.#open -= 1;
      this.#see(answer);
    }
    this.#judge(bytes + short + (ofAnySize.has(code) ? this.#size : 0), underWay, sentAt, now);
  }

  /** One large answer is remembered for a while: the next may be another. */
  #see(answer: number): void {
    const before = this.#hasSeenSizes ? this.#size : answer;
    this.#hasSeenSizes = true;
    this.#size = Math.max(least, answer, before - (before - answer) / 64);
  }

  #judge(bytes: number, underWay: number, sentAt: number, now: number): void {
    this.#fastest = Math.min(this.#fastest, now - sentAt);
    const waited = now - sentAt - this.#fastest;
    // A window that is not used shows nothing.
    if (waited < this.#longest / 2 && underWay >= this.#bytes / 2) this.#bytes = Math.min(most, this.#bytes + bytes);
    // Once for all that were sent in the same state of things.
    else if (waited > this.#longest && sentAt >= this.#shrunkAt) {
      this.#bytes = Math.max(short, this.#bytes / 2);
      this.#shrunkAt = now;
    }
  }

  get #underWay(): number {
    return this.#known + this.#open * this.#size;
  }

  get #longest(): number {
    return this.#liveness.timeout * patience;
  }
}
