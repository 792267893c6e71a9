import { backoff, sleep } from '@quorate/core';
import { Again } from './failure.ts';

/**
 * Settles as `promise` does, or rejects with the signal's reason when that comes first; whoever comes late is heard by nobody. When
 * a deadline has passed while the process stood still, an answer that lies there unread comes first.
 */
export function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => void setImmediate(() => reject(signal.reason));
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', aborted, { once: true });
    const settled = (): void => signal.removeEventListener('abort', aborted);
    promise.then(resolve, reject).finally(settled);
  });
}

export interface Patience {
  readonly signal: AbortSignal;
  /** For how long, in milliseconds, while no broker answers. */
  readonly unanswered: number;
  /** For how long while they answer that it cannot be done yet. Default: as long as when they do not. */
  readonly answered?: number;
}

/** Tries until it succeeds, is refused, or patience ends; then it rejects with the last failure. */
export async function persist<T>(
  attempt: () => Promise<T>,
  { signal, unanswered, answered = unanswered }: Patience,
): Promise<T> {
  const pauses = backoff({ min: 40, max: 1000 });
  const began = performance.now();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Again)) throw error;
      const pause = pauses.next();
      const over = began + (error.reason === undefined ? unanswered : answered);
      if (performance.now() + pause > over) throw error.failure;
      await sleep(pause, { signal });
    }
  }
}
