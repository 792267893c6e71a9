/** How many invalidations are remembered. */
const mostTold = 50_000;

/**
 * The invalidations that this process was told of: enough to say of what was good whether it still is. Word may come in
 * any order, and later than what the clock said elsewhere.
 */
export class Told {
  readonly #latest = new Map<string, { readonly clock: number; readonly moment: number }>();
  #moment = 0;
  /** Since then everything was heard. */
  #since = 0;
  /** What was told up to this moment may have been forgotten. */
  #forgotten = Number.NEGATIVE_INFINITY;

  /** Rises with each word and with each gap: while it is the same, so is all that is known. */
  get moment(): number {
    return this.#moment;
  }

  tell(tags: readonly string[], clock: number): void {
    this.#moment += 1;
    for (const tag of tags) {
      const before = this.#latest.get(tag)?.clock ?? 0;
      this.#latest.delete(tag);
      this.#latest.set(tag, { clock: Math.max(before, clock), moment: this.#moment });
    }
    for (const [tag, { moment }] of this.#latest) {
      if (this.#latest.size <= mostTold) break;
      this.#latest.delete(tag);
      this.#forgotten = moment;
    }
  }

  /** From now on something may happen unheard, or may have. */
  gap(): void {
    this.#moment += 1;
    this.#since = this.#moment;
  }

  /**
   * Whether what was loaded when the clock read this, and was good at that moment, still is. Undefined when there may be
   * more to know.
   */
  holds(tags: readonly string[], clock: number, since: number): boolean | undefined {
    if (tags.length > 0 && since < this.#forgotten) return false;
    for (const tag of tags) {
      const told = this.#latest.get(tag);
      if (told !== undefined && told.clock > clock) return false;
    }
    return since >= this.#since ? true : undefined;
  }
}
