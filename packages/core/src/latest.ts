/**
 * The latest value on its way to one reader: what was not read yet is replaced by what is newer. Push from one side,
 * read with `for await` on the other. It ends for good, with an error or without.
 */
export class Latest<T> implements AsyncIterableIterator<T, undefined> {
  readonly #ended: () => void;
  #value: { readonly value: T } | undefined;
  #readers: { resolve(result: IteratorResult<T, undefined>): void; reject(error: unknown): void }[] = [];
  #over = false;
  #error: { readonly reason: unknown } | undefined;

  /** `ended` is called once, when nobody reads any more or nothing will come. */
  constructor(ended: () => void = () => undefined) {
    this.#ended = ended;
  }

  push(value: T): void {
    if (this.#over) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ done: false, value });
    else this.#value = { value };
  }

  /** Ends after the value that is there. */
  finish(): void {
    if (this.#over) return;
    this.#over = true;
    for (const { resolve } of this.#readers.splice(0)) resolve({ done: true, value: undefined });
    this.#ended();
  }

  /** Ends with an error, now: a value from before it is worth nothing. The error is thrown once. */
  fail(reason: unknown): void {
    if (this.#over) return;
    this.#value = undefined;
    const reader = this.#readers.shift();
    if (reader) reader.reject(reason);
    else this.#error = { reason };
    this.finish();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#value) {
      const { value } = this.#value;
      this.#value = undefined;
      return Promise.resolve({ done: false, value });
    }
    if (this.#error) {
      const { reason } = this.#error;
      this.#error = undefined;
      return Promise.reject(reason);
    }
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#value = undefined;
    this.#error = undefined;
    this.finish();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
