import { Latest } from '@quorate/core';
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

/** A watch of which only the latest value is looked at. */
export interface Followed<T> extends Pick<Watch<T>, 'latest' | 'age' | 'failure'>, AsyncDisposable {
  /** Settles when there is an answer, or none will come. It does not keep the process alive: see `holding`. */
  readonly first: Promise<void>;
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

/** Queries do not keep the process alive; somebody who waits for their answers does. */
export async function holding<T>(waiting: Promise<T>): Promise<T> {
  const hold = setInterval(() => undefined, longestTimer);
  try {
    return await waiting;
  } finally {
    clearInterval(hold);
  }
}

export class Following<Body, T> implements Watch<T>, Followed<T> {
  latest: T | undefined;
  failure: unknown;
  readonly first: Promise<void>;
  readonly #stream: Latest<T>;
  #answeredAt = -Infinity;
  #answered = false;

  constructor({ watched, ask, read, same = sameJson, signal, wait = 60_000, patience = 30_000 }: Watched<Body, T>) {
    const ended = new AbortController();
    const first = Promise.withResolvers<void>();
    this.first = first.promise;
    // Not everybody waits for it.
    this.first.catch(() => undefined);
    const fail = (error: unknown): void => {
      first.reject(error);
      this.#stream.fail(error);
    };
    const aborted = (): void => fail(signal?.reason);
    this.#stream = new Latest<T>(() => {
      signal?.removeEventListener('abort', aborted);
      first.resolve();
      ended.abort();
    });
    signal?.addEventListener('abort', aborted, { once: true });
    if (signal?.aborted) {
      aborted();
      return;
    }
    follow<Body>({
      watched,
      ask,
      wait,
      patience,
      signal: ended.signal,
      answered: (body, anew) => {
        const value = read(body, anew);
        if (this.#answered && same(this.latest as T, value)) return;
        this.#answered = true;
        this.latest = value;
        watchEvents.publish({ watched, event: 'changed' });
        this.#stream.push(value);
        first.resolve();
      },
      failing: (error) => {
        this.failure = error;
        if (error === undefined) this.#answeredAt = performance.now();
      },
    }).catch(fail);
  }

  get age(): number {
    return performance.now() - this.#answeredAt;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return holding(this.#stream.next());
  }

  return(): Promise<IteratorResult<T, undefined>> {
    return this.#stream.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
