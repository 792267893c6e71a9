import { DeadlineExceededError } from '@quorate/core';
import { checkDuration } from './duration.ts';
import type { GetOptions } from './entry-options.ts';
import type { Flight } from './flight.ts';

/** This caller's own wait: the others are not concerned. */
export function waited(flight: Flight, { signal, timeout }: GetOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    };
    const giveUp = (reason: unknown): void => {
      end();
      flight.leave();
      reject(reason);
    };
    const aborted = (): void => giveUp(signal?.reason);
    const ms = timeout === undefined ? undefined : checkDuration('timeout', timeout);
    const late = (): void => giveUp(new DeadlineExceededError(`${flight.key}: no value within ${ms} ms`));
    const timer = ms === undefined ? undefined : setTimeout(late, Math.min(ms, 2 ** 31 - 1)).unref();
    signal?.addEventListener('abort', aborted, { once: true });
    flight.result.then(resolve, reject).finally(end);
  });
}
