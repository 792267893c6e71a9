import { DeadlineExceededError } from './deadline-exceeded-error.ts';
import { InvalidArgumentError } from './invalid-argument-error.ts';
import { startTimer } from './timer.ts';

/** A limit on how long work may take, as a signal to pass on. Dispose it when the work is done. */
export interface Deadline extends Disposable {
  /** Aborts with a `DeadlineExceededError` when the time is up, or with the outer signal's reason when that comes first. */
  readonly signal: AbortSignal;
  /** Milliseconds left, by the monotonic clock; never below 0. */
  remaining(): number;
}

/**
 * A deadline `ms` from now, cut short by `signal`.
 *
 *     using limit = deadline(5_000, signal);
 *     await fetch(url, { signal: limit.signal });
 *
 * Disposing leaves nothing behind: neither the timer nor a listener on `signal`. The timer does not keep the process alive.
 */
export function deadline(ms: number, signal?: AbortSignal): Deadline {
  if (!(typeof ms === 'number' && ms >= 0))
    throw new InvalidArgumentError('ms', 'a number of milliseconds, 0 or more', ms);
  const end = performance.now() + ms;
  const controller = new AbortController();
  const dispose = (): void => {
    timer.clear();
    signal?.removeEventListener('abort', outerAborted);
  };
  const outerAborted = (): void => {
    dispose();
    controller.abort(signal?.reason);
  };
  const timeUp = (): void => {
    dispose();
    controller.abort(new DeadlineExceededError(`not done within ${ms} ms`));
  };
  const timer = startTimer(ms, timeUp, { background: true });
  if (signal?.aborted) outerAborted();
  else signal?.addEventListener('abort', outerAborted, { once: true });
  return {
    signal: controller.signal,
    remaining: () => Math.max(0, end - performance.now()),
    [Symbol.dispose]: dispose,
  };
}
