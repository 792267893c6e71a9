/** So long the database may take to answer, in milliseconds, before it counts as silent. */
export const patience = 5_000;

/** What a database answers, which may be nothing, for as long as one cares to wait. One answer at a time. */
export class Answers {
  readonly #over: AbortSignal;
  #since: number | undefined;

  /** Once `over` has aborted, none is waited for any longer than `patience`. */
  constructor(over: AbortSignal) {
    this.#over = over;
  }

  /** How long there has been no answer to what was asked, in milliseconds; 0 when nothing is asked. */
  get silence(): number {
    return this.#since === undefined ? 0 : performance.now() - this.#since;
  }

  async of<T>(answer: Promise<T>): Promise<T> {
    const limit = Promise.withResolvers<never>();
    let timer: NodeJS.Timeout | undefined;
    const begin = (): void => {
      timer = setTimeout(() => limit.reject(new Error(`the database did not answer within ${patience} ms`)), patience);
    };
    if (this.#over.aborted) begin();
    else this.#over.addEventListener('abort', begin, { once: true });
    this.#since = performance.now();
    try {
      return await Promise.race([answer, limit.promise]);
    } finally {
      this.#since = undefined;
      clearTimeout(timer);
      this.#over.removeEventListener('abort', begin);
    }
  }
}
