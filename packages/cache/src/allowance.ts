import { DeadlineExceededError } from '@quorate/core';

/** How long something may take, and whether it is still wanted. The signal is made only when somebody asks for it: most loaders do not. */
export class Allowance implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #controller: AbortController | undefined;
  #reason: unknown;
  #over = false;
  #end: ((reason: unknown) => void) | undefined;

  /** `what` is what is late when the time is up. */
  constructor(ms: number, what: string) {
    const late = (): void => this.abort(new DeadlineExceededError(`${what} within ${ms} ms`));
    this.#timer = setTimeout(late, Math.min(ms, 2 ** 31 - 1)).unref();
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
    this.#end?.(reason);
  }

  /** What `work` gives, or the reason why it is over: whoever takes no notice of the signal is left to himself. */
  bound<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#over) return reject(this.#reason);
      this.#end = reject;
      // An error that came of the end is the end's.
      const failed = (error: unknown): void => reject(this.#over ? this.#reason : error);
      try {
        const value = work();
        if (isPromise(value)) value.then(resolve, failed);
        else resolve(value);
      } catch (error) {
        failed(error);
      }
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#end = undefined;
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
