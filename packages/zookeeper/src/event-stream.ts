interface Waiting<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

export interface EventStreamOptions<T> {
  /** At most this many wait for the reader; what is more is replaced by one `overflow`. Default 1,024. */
  readonly limit?: number;
  readonly overflow?: () => T;
  /** Called once, when nobody reads any more or nothing will come. */
  readonly ended?: () => void;
}

/** Events on their way to one reader. It ends for good, with an error or without. */
export class EventStream<T> implements AsyncIterableIterator<T, undefined> {
  readonly #limit: number;
  readonly #overflow: (() => T) | undefined;
  readonly #ended: () => void;
  #events: T[] = [];
  #readers: Waiting<T>[] = [];
  #over = false;
  #error: { readonly reason: unknown } | undefined;

  constructor({ limit = 1024, overflow, ended = () => undefined }: EventStreamOptions<T> = {}) {
    this.#limit = limit;
    this.#overflow = overflow;
    this.#ended = ended;
  }

  push(event: T): void {
    if (this.#over) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ done: false, value: event });
    else if (this.#events.length < this.#limit || !this.#overflow) this.#events.push(event);
    else this.#events = [this.#overflow()];
  }

  /** Ends after the events that are there. */
  finish(): void {
    if (this.#over) return;
    this.#end();
    for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined });
  }

  /** Ends with an error, after the events that are there. */
  fail(reason: unknown): void {
    if (this.#over) return;
    this.#error = { reason };
    this.#end();
    const [first, ...others] = this.#readers.splice(0);
    if (first) this.#throwTo(first);
    for (const reader of others) reader.resolve({ done: true, value: undefined });
  }

  /** Ends with an error now: the reader has said that it wants no more events. */
  abort(reason: unknown): void {
    this.#events = [];
    this.fail(reason);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#events.length > 0) resolve({ done: false, value: this.#events.shift() as T });
      else if (this.#error) this.#throwTo({ resolve, reject });
      else if (this.#over) resolve({ done: true, value: undefined });
      else this.#readers.push({ resolve, reject });
    });
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#events = [];
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

  #end(): void {
    this.#over = true;
    this.#ended();
  }

  /** An error is thrown once; a reader that goes on afterwards finds the end. */
  #throwTo({ reject }: Waiting<T>): void {
    const reason = this.#error?.reason;
    this.#error = undefined;
    reject(reason);
  }
}
