import { type BackoffOptions, backoff } from './backoff.ts';
import { doubtful } from './doubtful.ts';
import { InvalidArgumentError } from './invalid-argument-error.ts';
import { isQuorateError } from './quorate-error.ts';

export interface MayRetryOptions {
  /** Doing the work twice does no harm: it only reads, or the second time changes nothing. Default false. */
  readonly idempotent?: boolean;
}

export interface RetryOptions extends Partial<BackoffOptions>, MayRetryOptions {
  /** How often the work is tried in all. Default 5. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
  /** Whether an error is worth another try. Decides alone. Default: `mayRetry`. */
  readonly when?: (error: unknown) => boolean;
}

/**
 * Whether the work may be tried again after this error: it says that it is `retryable`; or, when the work is idempotent,
 * nobody knows whether it was done (`ambiguous`, `deadline-exceeded`).
 */
export function mayRetry(error: unknown, { idempotent = false }: MayRetryOptions = {}): boolean {
  if (!isQuorateError(error)) return false;
  return error.retryable || (idempotent && (error.code === 'ambiguous' || error.code === 'deadline-exceeded'));
}

/**
 * Does `work` until it succeeds, for as long as its errors say that trying again is safe. The last error is thrown as
 * it is, or as `doubtful` when an attempt may have been done. After an `ambiguous` error or a deadline the work
 * may have been done, so it is tried again only when it is said to be `idempotent`.
 */
export async function retry<T>(
  work: (attempt: number) => T | Promise<T>,
  {
    attempts = 5,
    signal,
    idempotent = false,
    when = (error) => mayRetry(error, { idempotent }),
    min = 50,
    max = 2_000,
    ...rest
  }: RetryOptions = {},
): Promise<T> {
  if (attempts !== Infinity && !(Number.isInteger(attempts) && attempts >= 1))
    throw new InvalidArgumentError('attempts', 'a whole number of at least 1, or Infinity', attempts);
  if (typeof idempotent !== 'boolean') throw new InvalidArgumentError('idempotent', 'true or false', idempotent);
  const delays = backoff({ min, max, ...rest });
  let certain = true;
  let harmless = true;
  // An attempt that may have been done is not forgotten, whatever ends the work: the next attempt or an abort.
  const inAll = (error: unknown): unknown => (certain ? error : doubtful(error, { idempotent: harmless }));
  signal?.throwIfAborted();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      // The reason of an abort says nothing of the work: some of it may have been done by then.
      if (signal?.aborted && error === signal.reason) certain = false;
      if (attempt >= attempts || signal?.aborted || !when(error)) throw inAll(error);
      certain &&= isQuorateError(error) && error.happened === 'no';
      harmless &&= mayRetry(error, { idempotent });
    }
    try {
      await delays.wait(signal ? { signal } : {});
    } catch (error) {
      throw inAll(error);
    }
  }
}
