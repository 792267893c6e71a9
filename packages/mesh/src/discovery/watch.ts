import { watchEvents } from '../diagnostics.ts';
import { type Follow, follow } from './blocking-query.ts';

/**
 * What something was each time it changed, for one reader; of changes that come faster than they are read, the latest.
 * It begins when it is made. Leaving the loop, disposing or aborting ends it.
 */
export interface Watch<T> extends AsyncIterableIterator<T, undefined>, AsyncDisposable {
  /** The last good answer, also while the agent cannot be asked. */
  readonly latest: T | undefined;
  /** Milliseconds since the agent last answered; `Infinity` before it ever has. Up to the wait of a blocking query is normal. */
  readonly age: number;
  /** Why the agent cannot be asked at the moment. It is tried again. */
  readonly failure: unknown;
}

interface Waiting<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

export interface Watched<Body, T> extends Pick<Follow<Body>, 'watched' | 'ask'> {
  /** `anew`: the servers may be others than those of the last answer. */
  readonly read: (body: Body, anew: boolean) => T;
  /** Whether nothing has changed. Default: both are the same as JSON, with numbers of any size. */
  readonly same?: (last: T, now: T) => boolean;
  readonly signal?: AbortSignal | undefined;
  readonly wait?: number | undefined;
  readonly patience?: number | undefined;
}

function sameJson(last: unknown, now: unknown): boolean {
  const json = (value: unknown): string =>
    JSON.stringify({ value }, (_, part) => (typeof part === 'bigint' ? String(part) : part));
  return json(last) === json(now);
}

/** setInterval fires at once when asked to wait longer than this. */
const longestTimer = 2 ** 31 - 1;

export class Following<Body, T> implements Watch<T> {
  latest: T | undefined;
  failure: unknown;
  readonly #ended = new AbortController();
  readonly #outer: AbortSignal | undefined;
  #answeredAt = -Infinity;
  #answered = false;
  #unread: { readonly value: T } | undefined;
  #readers: Waiting<T>[] = [];
  #over: { readonly error?: unknown } | undefined;
  #hold: NodeJS.Timeout | undefined;

  constructor({ watched, ask, read, same = sameJson, signal, wait = 60_000, patience = 30_000 }: Watched<Body, T>) {
    this.#outer = signal;
    signal?.addEventListener('abort', this.#aborted, { once: true });
    if (signal?.aborted) {
      this.#aborted();
      return;
    }
    follow<Body>({
      watched,
      ask,
      wait,
      patience,
      signal: this.#ended.signal,
      answered: (body, anew) => {
        const value = read(body, anew);
        if (this.#answered && same(this.latest as T, value)) return;
        this.#answered = true;
        this.latest = value;
        watchEvents.publish({ watched, event: 'changed' });
        this.#push(value);
      },
      failing: (error) => {
        this.failure = error;
        if (error === undefined) this.#answeredAt = performance.now();
      },
    }).catch((error) => this.#end({ error }));
  }

  get age(): number {
    return performance.now() - this.#answeredAt;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#unread) {
        resolve({ done: false, value: this.#unread.value });
        this.#unread = undefined;
      } else if (this.#over) this.#finish({ resolve, reject });
      else {
        this.#readers.push({ resolve, reject });
        // The queries do not keep the process alive; somebody who waits for them does.
        this.#hold ??= setInterval(() => undefined, longestTimer);
      }
    });
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#unread = undefined;
    this.#end({});
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  readonly #aborted = (): void => {
    this.#unread = undefined;
    this.#end({ error: this.#outer?.reason });
  };

  #push(value: T): void {
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ done: false, value });
    else this.#unread = { value };
    if (this.#readers.length === 0) this.#release();
  }

  #end(over: { readonly error?: unknown }): void {
    if (this.#over) return;
    this.#over = over;
    this.#outer?.removeEventListener('abort', this.#aborted);
    this.#ended.abort();
    this.#release();
    for (const reader of this.#readers.splice(0)) this.#finish(reader);
  }

  /** An error is thrown once; a reader that goes on afterwards finds the end. */
  #finish({ resolve, reject }: Waiting<T>): void {
    const over = this.#over;
    this.#over = {};
    if (over && 'error' in over) reject(over.error);
    else resolve({ done: true, value: undefined });
  }

  #release(): void {
    clearInterval(this.#hold);
    this.#hold = undefined;
  }
}
