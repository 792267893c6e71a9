import { deadline } from '@quorate/core';
import { checkAcquireOptions } from './acquire-options.ts';

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

export function patience(options: WaitOptions): Patience {
  checkAcquireOptions(options);
  const { signal, timeout } = options;
  return timeout === undefined ? { signal, [Symbol.dispose]: () => undefined } : deadline(timeout, signal);
}
