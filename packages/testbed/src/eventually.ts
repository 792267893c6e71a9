import { DeadlineExceededError, deadline, sleep } from '@quorate/core';
import { unlessAborted } from './unless-aborted.ts';

export interface EventuallyOptions {
  /** How long the condition may take to come true, in milliseconds. Default 30,000. */
  readonly within?: number;
  /** The pause between two looks, in milliseconds. Default 25. */
  readonly every?: number;
  readonly signal?: AbortSignal;
}

/**
 * Waits until `condition` gives something truthy and resolves with it. A condition that throws is not true yet; its last
 * error is the cause when the time is up. One that is still under way then is given up, whether it heeds its signal or not.
 *
 *     await eventually('a new leader', () => bed.zookeeper.leader());
 */
export async function eventually<T>(
  what: string,
  condition: (signal: AbortSignal) => T | Promise<T>,
  { within = 30_000, every = 25, signal }: EventuallyOptions = {},
): Promise<NonNullable<T>> {
  using limit = deadline(within, signal);
  let last: unknown;
  for (;;) {
    try {
      const result = await unlessAborted(limit.signal, condition);
      if (result) return result;
      last = undefined;
    } catch (error) {
      // A look that was cut short says nothing: what the one before it said is more.
      if (error !== limit.signal.reason) last = error;
    }
    signal?.throwIfAborted();
    // A timer may fire a little before the clock says so: its word counts too, or the next look would begin aborted.
    if (limit.signal.aborted || limit.remaining() === 0) throw tooLate(what, within, last);
    await sleep(Math.min(every, limit.remaining()), signal ? { signal } : {});
  }
}

function tooLate(what: string, within: number, cause: unknown): DeadlineExceededError {
  const why = cause instanceof Error ? `: ${cause.message || cause.name}` : '';
  return new DeadlineExceededError(`${what}: not within ${within} ms${why}`, { cause });
}
