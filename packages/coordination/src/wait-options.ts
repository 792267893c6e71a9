import { deadline, InvalidArgumentError } from '@quorate/core';

export interface WaitOptions {
  /** Aborts the wait, with the signal's reason, and leaves nothing behind. */
  readonly signal?: AbortSignal | undefined;
  /** Gives the wait up with a `DeadlineExceededError` after so many milliseconds. Left out: it waits as long as the session lives. */
  readonly timeout?: number | undefined;
}

/** How long somebody is willing to wait. Dispose it when the wait is over. */
export interface Patience extends Disposable {
  readonly signal: AbortSignal | undefined;
}

export function patience({ signal, timeout }: WaitOptions): Patience {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidArgumentError('signal', 'an AbortSignal', signal);
  }
  if (timeout === undefined) return { signal, [Symbol.dispose]: () => undefined };
  if (!(typeof timeout === 'number' && timeout >= 0)) {
    throw new InvalidArgumentError('timeout', 'a number of milliseconds, 0 or more', timeout);
  }
  return deadline(timeout, signal);
}
