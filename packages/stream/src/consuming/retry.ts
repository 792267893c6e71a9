import { checkNames, type Duration, duration, InvalidArgumentError } from '@quorate/core';

/** What becomes of a message whose handler failed. Its key waits meanwhile; other keys go on. */
export interface RetryOptions {
  /** How often a message is tried in all, by one process. Default 5; Infinity: until it succeeds. */
  readonly attempts?: number;
  /** Before the second attempt; doubled for each later one, and spread by chance. Default 100 ms. */
  readonly delay?: Duration;
  /** No delay is longer. Default 10 s. */
  readonly maxDelay?: Duration;
}

export interface Retry {
  readonly attempts: number;
  readonly delay: number;
  readonly maxDelay: number;
}

export function checkRetry(options: RetryOptions = {}): Retry {
  checkNames('retry', options, ['attempts', 'delay', 'maxDelay']);
  const { attempts = 5, delay = 100, maxDelay = '10s' } = options;
  if (attempts !== Infinity && !(Number.isInteger(attempts) && attempts >= 1))
    throw new InvalidArgumentError('retry.attempts', 'a whole number of at least 1, or Infinity', attempts);
  const least = duration(delay, { name: 'retry.delay', least: 1 });
  return {
    attempts,
    delay: least,
    maxDelay: Math.max(least, duration(maxDelay, { name: 'retry.maxDelay', least: 1 })),
  };
}

/** After so many failures. */
export function delayAfter({ delay, maxDelay }: Retry, failures: number): number {
  const longest = Math.min(maxDelay, delay * 2 ** Math.min(30, failures - 1));
  return Math.ceil(longest * (1 - 0.5 * Math.random()));
}
