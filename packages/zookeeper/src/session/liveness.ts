/**
 * When a session must be taken for suspended or lost. All times are of the monotonic clock.
 *
 * Lost: a server counts the session timeout from when a request reaches it; we count from when that request was sent, which is
 * earlier. So our clock runs out first, and what we believe to hold is still ours on the server. Not so with a member that is
 * cut off from its leader: it goes on answering us, while the leader counts.
 *
 * Suspended: we count from when the latest answer came, however old its request. A connection that answers is alive, and
 * to end it would not make it faster; but where all that it answers is old, the session would be lost: then another connection,
 * with nothing to be answered before its handshake, is what saves it.
 */
export class Liveness {
  /** What the server granted, which may differ from what was asked for. */
  timeout = 0;
  /** How many answers there have been. */
  answers = 0;
  /** When the latest answer came, of any member. */
  #heardAt = 0;
  /** When we sent the latest request that was answered by a member that keeps the session alive: not one that is cut off from its ensemble. */
  #keptAt = 0;
  #sentAt = 0;
  #keeps = true;

  established(timeout: number, sentAt: number, keeps: boolean): void {
    this.timeout = timeout;
    this.#keeps = keeps;
    this.sent(sentAt);
    this.#heardAt = sentAt;
    if (keeps) this.#keptAt = sentAt;
  }

  sent(now: number): void {
    this.#sentAt = now;
  }

  /** A request that was sent at `sentAt` has been answered at `now`. Answers come in order, but not all over one queue. */
  answered(sentAt: number, now: number): void {
    this.answers += 1;
    this.#heardAt = now;
    if (this.#keeps && sentAt > this.#keptAt) this.#keptAt = sentAt;
  }

  /** Whatever has been sent since: a server that answers nothing must not look alive because we are busy. */
  get suspendAt(): number {
    return Math.min(this.#silentAt, this.#lateAt);
  }

  /** Why it is suspended, when it is time for that. */
  get why(): string {
    const timeout = `the session timeout of ${this.timeout} ms`;
    if (this.#silentAt <= this.#lateAt) return `no answer for two thirds of ${timeout}`;
    return `what it answers was asked more than three quarters of ${timeout} ago: too much is asked of this network`;
  }

  get #silentAt(): number {
    return this.#heardAt + (this.timeout * 2) / 3;
  }

  /** With a quarter left for another connection. One to a member that is cut off keeps nothing, however quick its answers. */
  get #lateAt(): number {
    return this.#keeps ? this.#keptAt + (this.timeout * 3) / 4 : Number.POSITIVE_INFINITY;
  }

  get lostAt(): number {
    return this.#keptAt + this.timeout;
  }

  get pingAt(): number {
    return this.#sentAt + this.timeout / 3;
  }
}
