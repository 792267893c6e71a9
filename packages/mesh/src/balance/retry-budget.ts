/**
 * Retries must not make an overload worse: they may be a fifth of the requests, and a few more when there are few requests.
 * Without a budget, three attempts for each request would treble the load on what is failing under its load.
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #reserve: number;
  #tokens: number;

  constructor(ratio = 0.2, reserve = 10) {
    this.#ratio = ratio;
    this.#reserve = reserve;
    this.#tokens = reserve;
  }

  /** A request was made. */
  earn(): void {
    this.#tokens = Math.min(this.#reserve, this.#tokens + this.#ratio);
  }

  /** Whether one more retry can be afforded. */
  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
