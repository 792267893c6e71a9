/**
 * When a session must be taken for suspended or lost. All times are of the monotonic clock.
 *
 * A server counts the session timeout from when a request reaches it; we count from when that request was sent, which is
 * earlier. So our clock always runs out first, and what we believe to hold is still ours on the server.
 */
export class Liveness {
  /** What the server granted, which may differ from what was asked for. */
  timeout = 0;
  /** How many answers there have been. */
  answers = 0;
  /** When we sent the latest request that a member answered, any member. */
  #heardAt = 0;
  /** The same for members that keep the session alive: one that is cut off from its ensemble cannot. */
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

  /** A request that was sent at `sentAt` has been answered. Answers come in order, but not all over one queue. */
  answered(sentAt: number): void {
    this.answers += 1;
    if (sentAt > this.#heardAt) this.#heardAt = sentAt;
    if (this.#keeps && sentAt > this.#keptAt) this.#keptAt = sentAt;
  }

  /** Whatever has been sent since: a server that answers nothing must not look alive because we are busy. */
  get suspendAt(): number {
    return this.#heardAt + (this.timeout * 2) / 3;
  }

  get lostAt(): number {
    return this.#keptAt + this.timeout;
  }

  get pingAt(): number {
    return this.#sentAt + this.timeout / 3;
  }
}
