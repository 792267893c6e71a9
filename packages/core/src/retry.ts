import { type BackoffOptions, backoff } from './backoff.ts';
import { InvalidArgumentError } from './invalid-argument-error.ts';
import { isQuorateError } from './quorate-error.ts';

export interface RetryOptions extends Partial<BackoffOptions> {
  /** How often the work is tried in all. Default 5. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
  /** Whether an error is worth another try. By default: errors of ours that say `retryable`. */
  readonly when?: (error: unknown) => boolean;
}

/**
 * Does `work` until it succeeds, for as long as its errors say that trying again is safe. The last error is thrown as
 * it is. An `ambiguous` error is never retried by default: the write may have happened.
 */
export async function retry<T>(
  work: (attempt: number) => T | Promise<T>,
  {
    attempts = 5,
    signal,
    when = (error) => isQuorateError(error) && error.retryable,
    min = 50,
    max = 2_000,
    ...rest
  }: RetryOptions = {},
): Promise<T> {
  if (!(attempts >= 1)) throw new InvalidArgumentError('attempts', 'a whole number of at least 1', attempts);
  const delays = backoff({ min, max, ...rest });
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= attempts || signal?.aborted || !when(error)) throw error;
    }
    await delays.wait(signal ? { signal } : {});
  }
}
