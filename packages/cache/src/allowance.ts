import { DeadlineExceededError } from '@quorate/core';

/**
 * How long something may take, from its start, and whether it is still wanted. The signal is made only when somebody asks
 * for it: most loaders do not.
 */
export class Allowance implements Disposable {
  readonly #ms: number;
  readonly #what: string;
  #timer: NodeJS.Timeout | undefined;
  #controller: AbortController | undefined;
  #reason: unknown;
  #over = false;
  readonly #ends = new Set<(reason: unknown) => void>();

  /** `what` is what is late when the time is up. */
  constructor(ms: number, what: string) {
    this.#ms = ms;
    this.#what = what;
  }

  /** From now on its time counts, or what is `left` of it. Throws the reason when it is over already. */
  start(left: number = this.#ms): void {
    if (this.#over) throw this.#reason;
    const late = (): void => this.abort(new DeadlineExceededError(`${this.#what} within ${this.#ms} ms`));
    this.#timer ??= setTimeout(late, Math.min(left, 2 ** 31 - 1)).unref();
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#over) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#reason = reason;
    clearTimeout(this.#timer);
    this.#controller?.abort(reason);
    for (const end of this.#ends) end(reason);
  }

  /** What `work` gives, or the reason why it is over: whoever takes no notice of the signal is left to himself. */
  bound<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#over) return reject(this.#reason);
      this.#ends.add(reject);
      const done = (value: T): void => {
        this.#ends.delete(reject);
        resolve(value);
      };
      // An error that came of the end is the end's.
      const failed = (error: unknown): void => {
        this.#ends.delete(reject);
        reject(this.#over ? this.#reason : error);
      };
      try {
        const value = work();
        if (isPromise(value)) value.then(done, failed);
        else done(value);
      } catch (error) {
        failed(error);
      }
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#ends.clear();
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
