import { AmbiguousError, doubtful } from '@quorate/core';
import type { Asked } from '../errors/server-error.ts';
import type { Operation } from '../protocol/operation.ts';

export interface RequestOptions<T> {
  readonly signal?: AbortSignal | undefined;
  /** Means nothing on another connection: rejected when this one ends, rather than sent again. */
  readonly transient?: boolean;
  /** Sent at once, ahead of those that wait for others to be answered. */
  readonly urgent?: boolean | undefined;
  /** Called with the outcome before the next frame is read: who places a watch must not miss the event behind the reply. */
  readonly replied?: (error: Error | undefined) => void;
  /** Called when a write whose wait was aborted after sending is known to have been done, or can no longer be known. */
  readonly orphaned?: (done: T | AmbiguousError) => void;
}

/** One request, from the call to its outcome. It settles once; after that its reply is taken off the wire unheard. */
export class Request<T = unknown> {
  readonly operation: Operation<T>;
  readonly promise: Promise<T>;
  readonly transient: boolean;
  /** Encoded when it had to wait, so that data changed by its owner meanwhile does not change the request. */
  frame: Buffer | undefined;
  /** 0 until it is sent. */
  xid = 0;
  sentAt = 0;
  /** Of its frame, as it was sent. */
  bytes = 0;
  #settled = false;
  readonly #options: RequestOptions<T>;
  #listener: (() => void) | undefined;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;

  constructor(operation: Operation<T>, options: RequestOptions<T>) {
    this.operation = operation;
    this.transient = options.transient ?? false;
    this.#options = options;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (!options.signal) return;
    // Made only where it may be needed: most requests have no signal, and there are very many of them.
    this.#listener = () => this.#aborted();
    options.signal.addEventListener('abort', this.#listener, { once: true });
  }

  /** Nobody waits for it any more. */
  get settled(): boolean {
    return this.#settled;
  }

  succeed(value: T): void {
    if (this.#settled) {
      this.#options.orphaned?.(value);
      return;
    }
    this.#options.replied?.(undefined);
    this.#settle();
    this.#resolve(value);
  }

  /** The server answered with an error, or what it answered could not be read. */
  fail(error: Error): void {
    if (this.#settled) return;
    this.#options.replied?.(error);
    this.reject(error);
  }

  /** There will be no answer. */
  reject(error: unknown): void {
    if (this.#settled) return;
    this.#settle();
    this.#reject(error);
  }

  /** It was sent, and its reply is lost. */
  rejectAsAmbiguous(cause: unknown): void {
    const error = replyLost(this.operation, cause);
    if (this.#settled) this.#options.orphaned?.(error);
    else this.reject(error);
  }

  #aborted(): void {
    const reason = this.#options.signal?.reason;
    if (this.xid === 0 || !this.operation.writes) this.reject(reason);
    // What is undone if it was done, others may have seen before: the reason must not say that nothing happened.
    else if (this.#options.orphaned) this.reject(doubtful(reason));
    else this.reject(replyLost(this.operation, reason));
  }

  #settle(): void {
    this.#settled = true;
    this.frame = undefined;
    if (this.#listener) this.#options.signal?.removeEventListener('abort', this.#listener);
  }
}

function replyLost({ operation, path }: Asked, cause: unknown): AmbiguousError {
  const what = path === undefined ? operation : `${operation} ${path}`;
  return new AmbiguousError(
    `${what}: it was sent and its reply was not received, so it may or may not have happened; read before writing again`,
    {
      cause,
    },
  );
}
