import { InvalidArgumentError } from './invalid-argument-error.ts';
import { startTimer } from './timer.ts';

export interface SleepOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether the wait lets the process end meanwhile. Default: it keeps it alive. */
  readonly background?: boolean | undefined;
}

/** Resolves after `ms`, however many; with Infinity never. When `signal` aborts it rejects at once with the signal's reason, and the timer is gone. */
export function sleep(ms: number, { signal, background = false }: SleepOptions = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    if (Number.isNaN(ms)) throw new InvalidArgumentError('ms', 'a number of milliseconds', ms);
    if (signal?.aborted) return reject(signal.reason);
    const aborted = (): void => {
      timer.clear();
      reject(signal?.reason);
    };
    const slept = (): void => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    };
    const timer = startTimer(ms, slept, { background });
    signal?.addEventListener('abort', aborted, { once: true });
  });
}
