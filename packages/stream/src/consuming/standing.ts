/**
 * Whether the group can still count us as a member, by our own clock: it gives our partitions to others when it has heard nothing for the session timeout.
 * Counted from when the last request that was answered was sent, for the coordinator may have counted from then.
 */
export class Standing {
  readonly #sessionTimeout: number;
  readonly #changed: (certain: boolean) => void;
  #until = 0;
  #certain = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(sessionTimeout: number, changed: (certain: boolean) => void) {
    this.#sessionTimeout = sessionTimeout;
    this.#changed = changed;
  }

  /** Asked right before work begins: a process that stood still is told by no timer. */
  get isCertain(): boolean {
    if (this.#certain && performance.now() >= this.#until) this.#set(false);
    return this.#certain;
  }

  /** The same, and it was confirmed by a request that was sent after this time of `performance.now()`. */
  isCertainSince(at: number): boolean {
    return this.isCertain && this.#until - this.#sessionTimeout > at;
  }

  /** By a request that was sent at this time of `performance.now()`. */
  confirm(at: number): void {
    this.#until = Math.max(this.#until, at + this.#sessionTimeout);
    if (performance.now() >= this.#until) return;
    this.#watch();
    this.#set(true);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #watch(): void {
    if (this.#timer) return;
    const check = (): void => {
      this.#timer = undefined;
      if (this.isCertain) this.#watch();
    };
    this.#timer = setTimeout(check, Math.max(1, this.#until - performance.now()));
    this.#timer.unref();
  }

  #set(certain: boolean): void {
    if (this.#certain === certain) return;
    this.#certain = certain;
    this.#changed(certain);
  }
}
