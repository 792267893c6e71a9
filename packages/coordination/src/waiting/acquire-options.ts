import { DeadlineExceededError, deadline, InvalidArgumentError } from '@quorate/core';

export interface AcquireOptions {
  /** Aborts the wait at once; nothing of it is left. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait at most, in milliseconds. For ever when left out. */
  readonly timeout?: number | undefined;
}

export function checkAcquireOptions({ signal, timeout }: AcquireOptions): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidArgumentError('signal', 'an AbortSignal', signal);
  }
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout >= 0)) {
    throw new InvalidArgumentError('timeout', 'a number of milliseconds, 0 or more', timeout);
  }
}

/** Waits within the limits. A wait that takes too long says for what, and how many were ahead. */
export async function within<T>(
  path: string,
  { signal, timeout }: AcquireOptions,
  wait: (signal: AbortSignal | undefined, onAhead: (count: number) => void) => Promise<T>,
): Promise<T> {
  let ahead: number | undefined;
  const onAhead = (count: number): void => {
    ahead = count;
  };
  if (timeout === undefined) return wait(signal, onAhead);
  using limit = deadline(timeout, signal);
  try {
    return await wait(limit.signal, onAhead);
  } catch (error) {
    if (error !== limit.signal.reason || signal?.aborted) throw error;
    const seen = ahead === undefined ? '' : `; ${ahead} ahead in line when last seen`;
    throw new DeadlineExceededError(`${path}: not acquired within ${timeout} ms${seen}`, { cause: error });
  }
}
